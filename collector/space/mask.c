#include "collector/space/mask.h"

bool mask_shows_total(const int64_t *parts, size_t count, int64_t k)
{
    int64_t hidden = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        if (mask_hides(parts[i], k)) {
            hidden++;
            sum += parts[i];
        }
    return hidden == 0 || (sum >= k - 1 && sum <= (hidden - 1) * (k - 1));
}
