#include "lib/certificate.h"

#include "lib/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)4 << 20) /* all authorities of a machine have a quarter of it */

enum status certificate_check_file(const char *path, struct error *err)
{
    char *text;
    size_t length;
    enum status status = file_read(path, FILE_MAX, &text, &length, err);
    if (status != ST_OK)
        return status;
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    if (bio == NULL)
        abort(); /* out of memory */
    int count = 0;
    ERR_clear_error();
    for (X509 *one; (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; count++)
        X509_free(one);
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    free(text);
    if (!is_end)
        return error_set(
            err, ST_INVALID, "%s: certificate %d of it cannot be read; expected PEM", path, count + 1);
    return count > 0 ? ST_OK
                     : error_set(err, ST_INVALID,
                           "%s: has no certificate; expected PEM, -----BEGIN CERTIFICATE-----", path);
}
