/* Acknowledgements, as an agent reads them. */
#include "lib/batch.h"
#include "tests/fuzz/fuzz.h"

static void check_round_trip(const struct ack *ack)
{
    char text[ACK_TEXT_SIZE];
    struct ack again;
    struct error err = {""};
    ack_format(ack, text);
    LAW(ack_parse(span_of(text), &again, &err) == ST_OK, "\"%s\" is not read back: %s", text, err.text);
    LAW(again.epoch == ack->epoch && again.seq == ack->seq && again.is_refusal == ack->is_refusal,
        "\"%s\" is read back as another", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ack ack = {.seq = -7};
    struct error err = {""};
    if (ack_parse((struct span){(const char *)data, size}, &ack, &err) != ST_OK) {
        LAW(err.text[0] != '\0', "refused without a reason");
        LAW(ack.seq == -7, "refused, but something was returned");
        return 0;
    }
    LAW(ack.epoch != 0 && ack.seq >= 0 && ack.seq < BATCH_SEQ_MAX, "a number that the contract forbids");
    check_round_trip(&ack);
    return 0;
}
