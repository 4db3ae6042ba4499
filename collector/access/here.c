#include "collector/access/here.h"

#include "collector/access/tokens.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/thread.h"

#include <pwd.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define LOOK_MS 50

enum status access_open_in_turn(const char *database, struct db **ret, struct error *err)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    thread_cond_init(&never);
    pthread_mutex_lock(&lock);
    int64_t until = clock_system.mono_ms() + PATIENCE_MS;
    enum status status;
    while ((status = tokens_open(database, ret, err)) == ST_UNREACHABLE && clock_system.mono_ms() < until &&
           !program_is_asked_to_end())
        thread_wait_until(&never, &lock, clock_system.mono_ms() + LOOK_MS);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&never);
    return status;
}

char *access_name_of(uid_t user)
{
    struct passwd about, *found = NULL;
    char texts[4096];
    getpwuid_r(user, &about, texts, sizeof texts, &found);
    return found != NULL ? mem_printf("user %s", found->pw_name) : mem_printf("user %u", (unsigned)user);
}

char *access_user_name(void)
{
    return access_name_of(getuid());
}
