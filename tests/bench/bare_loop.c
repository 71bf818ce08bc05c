/* The least that polling can cost: blocking libmariadb, the given statements, rows thrown away.
 *
 *   bare_loop TARGETS PASSWORD_FILE SECONDS spread|burst STATEMENT...
 *
 * TARGETS has one "host port user" a line. Every target is asked once a second: "spread" over the
 * second as the agent does it, or all in one "burst". Prints "polls cpu_seconds" of the measured
 * time; connecting and the first second do not count.
 */
#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { most_targets = 4096, group = 3 };

static MYSQL* connections[most_targets];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double processor_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void sleep_until(double when) {
    struct timespec time;
    time.tv_sec = (time_t)when;
    time.tv_nsec = (long)((when - (double)time.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
        continue;
}

static void fail(const char* what, MYSQL* connection) {
    fprintf(stderr, "bare_loop: %s: %s\n", what, connection ? mysql_error(connection) : "");
    exit(1);
}

static void poll_once(MYSQL* connection, char** statements, int count) {
    for (int i = 0; i < count; ++i) {
        if (mysql_real_query(connection, statements[i], (unsigned long)strlen(statements[i])) != 0)
            fail(statements[i], connection);
        MYSQL_RES* rows = mysql_store_result(connection);
        if (rows == NULL) fail("no rows", connection);
        mysql_free_result(rows);
    }
}

static int connect_all(const char* targets, const char* password) {
    FILE* file = fopen(targets, "r");
    if (file == NULL) fail(targets, NULL);
    char host[256], user[64];
    unsigned port;
    int count = 0;
    while (count < most_targets && fscanf(file, "%255s %u %63s", host, &port, user) == 3) {
        MYSQL* made = mysql_init(NULL);
        if (!mysql_real_connect(made, host, user, password, NULL, port, NULL, 0)) fail(host, made);
        connections[count++] = made;
    }
    fclose(file);
    return count;
}

int main(int argc, char** argv) {
    if (argc < 6)
        fail("usage: bare_loop TARGETS PASSWORD_FILE SECONDS spread|burst STATEMENT...", NULL);
    char password[256] = "";
    FILE* file = fopen(argv[2], "r");
    if (file == NULL || fgets(password, sizeof password, file) == NULL) fail(argv[2], NULL);
    fclose(file);
    password[strcspn(password, "\n")] = '\0';
    int count = connect_all(argv[1], password);
    int seconds = atoi(argv[3]);
    int spread = strcmp(argv[4], "spread") == 0;

    double begin = now(), used = 0;
    long polls = 0;
    for (int second = 0; second <= seconds; ++second) {
        if (second == 1) used = processor_seconds();
        for (int i = 0; i < count; ++i) {
            /* One wake-up for each group of three, as a topology's servers are read together. */
            if (i == 0 || (spread && i % group == 0))
                sleep_until(begin + second + (spread ? (double)i / count : 0));
            poll_once(connections[i], argv + 5, argc - 5);
            if (second > 0) ++polls;
        }
    }
    printf("%ld %.6f\n", polls, processor_seconds() - used);
    for (int i = 0; i < count; ++i)
        mysql_close(connections[i]);
    return 0;
}
