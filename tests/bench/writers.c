/* Clients that go on writing whatever happens to their server, and one statement that blocks it.
 *
 *   writers HOST PORT USER PASSWORD_FILE SESSIONS
 *
 * Each session inserts one row after the other into app.facts, each a transaction of its own. One
 * that is refused or cut off connects again, at once the first time and then every tenth of a
 * second. One more session sends INSERT ... SELECT SLEEP(60), and again when that was killed.
 * Prints ten times a second: the wall clock (ns), rows committed so far, sessions that committed
 * one in the last second, whether the blocking statement runs, and how often it was killed.
 */
#include <mysql.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_sessions = 1000 };

static const char *host, *user;
static char password[256];
static unsigned int port;
static atomic_long committed, last_commit[most_sessions], blockers_killed;
static atomic_int blocker_runs;

static long nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void pause_for(long milliseconds) {
    struct timespec time = {0, milliseconds * 1000000L};
    nanosleep(&time, NULL);
}

static MYSQL* connect_once(void) {
    MYSQL* made = mysql_init(NULL);
    unsigned int patience = 5;
    mysql_options(made, MYSQL_OPT_CONNECT_TIMEOUT, &patience);
    if (mysql_real_connect(made, host, user, password, "app", port, NULL, 0) != NULL) return made;
    mysql_close(made);
    return NULL;
}

static int send_text(MYSQL* connection, const char* text) {
    return mysql_real_query(connection, text, (unsigned long)strlen(text));
}

/* Client errors: the connection is gone, or was never there. */
static int is_lost(MYSQL* connection) {
    return mysql_errno(connection) >= 2000 && mysql_errno(connection) < 3000;
}

static void* write_rows(void* argument) {
    const long session = (long)argument;
    char text[128];
    long number = nanoseconds(CLOCK_REALTIME);
    for (;;) {
        MYSQL* connection = connect_once();
        for (long failures = 0; connection != NULL;) {
            snprintf(text, sizeof text, "INSERT INTO facts (writer, number) VALUES ('w%ld', %ld)",
                     session, ++number);
            if (send_text(connection, text) == 0) {
                atomic_fetch_add(&committed, 1);
                atomic_store(&last_commit[session], nanoseconds(CLOCK_MONOTONIC));
                failures = 0;
                continue;
            }
            if (is_lost(connection)) {
                mysql_close(connection);
                connection = failures++ == 0 ? connect_once() : NULL;
            } else {
                pause_for(100);
            }
        }
        pause_for(100);
    }
    return NULL;
}

static void* block(void* argument) {
    char text[128];
    (void)argument;
    for (;;) {
        MYSQL* connection = connect_once();
        while (connection != NULL) {
            snprintf(text, sizeof text,
                     "INSERT INTO facts (writer, number) SELECT 'blocker', %ld + SLEEP(60)",
                     nanoseconds(CLOCK_REALTIME));
            const long began = nanoseconds(CLOCK_MONOTONIC);
            atomic_store(&blocker_runs, 1);
            const int failed = send_text(connection, text);
            atomic_store(&blocker_runs, 0);
            /* One that is refused comes back at once. */
            if (failed && nanoseconds(CLOCK_MONOTONIC) - began > 200000000L)
                atomic_fetch_add(&blockers_killed, 1);
            if (failed && is_lost(connection)) break;
            if (failed) pause_for(100);
        }
        if (connection != NULL) mysql_close(connection);
        pause_for(100);
    }
    return NULL;
}

static void start(void* (*what)(void*), long argument) {
    pthread_t made;
    if (pthread_create(&made, NULL, what, (void*)argument) != 0) {
        fprintf(stderr, "writers: no thread can be had\n");
        exit(1);
    }
}

static void tell(int sessions) {
    const long now = nanoseconds(CLOCK_MONOTONIC);
    int writing = 0;
    for (int i = 0; i < sessions; ++i)
        writing += now - atomic_load(&last_commit[i]) < 1000000000L ? 1 : 0;
    printf("%ld %ld %d %d %ld\n", nanoseconds(CLOCK_REALTIME), atomic_load(&committed), writing,
           atomic_load(&blocker_runs), atomic_load(&blockers_killed));
    fflush(stdout);
}

int main(int count, char** words) {
    if (count != 6) {
        fprintf(stderr, "writers HOST PORT USER PASSWORD_FILE SESSIONS\n");
        return 2;
    }
    host = words[1];
    port = (unsigned int)atoi(words[2]);
    user = words[3];
    FILE* file = fopen(words[4], "r");
    if (file == NULL || fgets(password, sizeof password, file) == NULL) {
        fprintf(stderr, "writers: cannot read %s\n", words[4]);
        return 1;
    }
    password[strcspn(password, "\n")] = '\0';
    const int sessions = atoi(words[5]);
    if (sessions < 1 || sessions > most_sessions || mysql_library_init(0, NULL, NULL) != 0)
        return 2;
    for (long i = 0; i < sessions; ++i)
        start(write_rows, i);
    start(block, 0);
    for (;;) {
        pause_for(100);
        tell(sessions);
    }
}
