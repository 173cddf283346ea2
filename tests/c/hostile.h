/* What the program of hostile callers stands on: tests/c/hostile.py writes the calls, and
 * hostile_given.h has what they are given. Here is what is expected of each: a status of the header
 * that is right, a message of its own on failure, outputs as they were on failure and nothing
 * written beside them, nothing read behind a struct, no crash, no hang.
 *
 * The arguments are a private folder and the name of a function; "--list" lists these. Memory that
 * the library writes, and structs of every size, lie directly before a page that cannot be
 * touched. */
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "vkd.h"

#define ITEMS 6u
#define DIM 3u
#define K 2u
#define CANARY 0xa5
/* No status. */
#define END 1000
#define S(...) ((const int32_t[]){__VA_ARGS__, END})
/* Bytes of a path. */
#define ROOM 700
/* Seconds until a call counts as hanging. */
#define PATIENCE 10

void __sanitizer_set_death_callback(void (*callback)(void));
static int is_status(int32_t status);
static int is_open(const char *name);

static const char *folder;
static char at_work[400];
static int cases = 0, failures = 0, skipped = 0;
/* Whether the call at work has written its outputs; the job that it started may still fail. */
static int succeeded;

static void say(const char *text) {
    printf("%s: %s\n", at_work, text);
    fflush(stdout);
    ++failures;
}

static void died(void) {
    printf("%s: died\n", at_work);
    fflush(stdout);
}

static void hangs(int number) {
    (void)number;
    static const char text[] = ": hangs\n";
    if (write(1, at_work, strlen(at_work)) < 0 || write(1, text, sizeof text - 1) < 0) _exit(4);
    _exit(3);
}

/* Memory for what crosses the boundary. */

#define AREAS 4
#define AREA 8192
static unsigned char *areas[AREAS], saved[AREAS][AREA];
/* Where in its area an output begins; AREA where there is none. */
static size_t begins[AREAS];

static void make_areas(void) {
    for (int i = 0; i < AREAS; ++i) {
        unsigned char *all = mmap(NULL, AREA + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                  0);
        areas[i] = all + 4096;
        if (all == MAP_FAILED || mprotect(areas[i], AREA, PROT_READ | PROT_WRITE)) exit(5);
    }
}

/* The last bytes of an area, as an output. */
static void *output(int area, size_t bytes) {
    begins[area] = AREA - bytes;
    return areas[area] + begins[area];
}

/* An output struct that says it has `size` bytes. */
static void *output_struct(int area, uint32_t size) {
    void *to = output(area, size < 4 ? 4 : size > 4096 ? 4096 : size);
    memcpy(to, &size, sizeof size);
    return to;
}

enum tail { ZERO, GARBAGE, BEHIND, TAILS };
static const char *const tail_names[] = {"zeros", "garbage", "garbage behind"};

/* A struct for the library to read that says it has `size` bytes, with a tail of zeros or of
 * garbage; BEHIND is a tail of zeros with garbage behind the struct. */
static void *input_struct(int area, const void *from, size_t known, uint32_t size,
                          enum tail tail) {
    size_t bytes = size < 4 ? 4 : size > 4096 ? known : size, room = bytes;
    if (tail == BEHIND) room = 4096 + known;
    unsigned char *to = areas[area] + AREA - room;
    memset(to, CANARY, room);
    if (tail != GARBAGE) memset(to, 0, bytes);
    memcpy(to, from, bytes < known ? bytes : known);
    memcpy(to, &size, sizeof size);
    return to;
}

#include "hostile_given.h"

/* A case: begin, the call, check. */

#define MARKER "/nonexistent/marker"

static int begin(const char *function, const char *name) {
    snprintf(at_work, sizeof at_work, "%s, %s", function, name);
    if (is_open(at_work)) {
        ++skipped;
        return 0;
    }
    for (int i = 0; i < AREAS; ++i) {
        memset(areas[i], CANARY, AREA);
        begins[i] = AREA;
    }
    return 1;
}

/* Behind all that prepares the call. */
static void ready(void) {
    vkd_sequences_file *none = NULL;
    if (vkd_sequences_file_open(MARKER, &none) != VKD_ERROR_FILE) say("the marker is there");
    for (int i = 0; i < AREAS; ++i) memcpy(saved[i], areas[i], AREA);
    succeeded = 0;
    alarm(PATIENCE);
}

static void check(int32_t status, const int32_t *allowed) {
    alarm(0);
    ++cases;
    int right = 0;
    for (const int32_t *one = allowed; *one != END; ++one) right |= *one == status;
    if (!right) {
        char text[2000];
        snprintf(text, sizeof text, "%s (%d) instead of %s or other (%.900s)",
            vkd_status_name(status), (int)status, vkd_status_name(*allowed),
            status < 0 ? vkd_last_error() : "");
        say(text);
    }
    if (!is_status(status) || status == VKD_ERROR_INTERNAL) say("no status of the header, or a "
        "defect");
    const char *message = vkd_last_error();
    if (status < 0 && (!*message || strstr(message, MARKER))) say("a failure without a message");
    for (int i = 0; i < AREAS; ++i) {
        size_t count = status == VKD_OK || succeeded ? begins[i] : AREA;
        if (memcmp(saved[i], areas[i], count) != 0) {
            say(count < AREA ? "wrote before an output" : "a failure changed an output");
        }
    }
    fill();
}

/* Of an output struct: the size is the caller's, and what the library does not know is 0. */
static void check_struct(int area, uint32_t size, size_t known, int32_t status) {
    uint32_t says = 0;
    const unsigned char *bytes = areas[area] + begins[area];
    memcpy(&says, bytes, sizeof says);
    if (says != size) say("struct_size was changed");
    for (size_t i = known; status == VKD_OK && i < size; ++i) {
        if (bytes[i] != 0) {
            say("the tail of a newer struct is not zero");
            return;
        }
    }
}

static const int32_t *struct_status(uint32_t size, const uint32_t *sizes, enum tail tail,
                                    const int32_t *accepted) {
    static const int32_t wrong[] = {VKD_ERROR_STRUCT_SIZE, END};
    static const int32_t newer[] = {VKD_ERROR_NEWER_STRUCT, END};
    if (size > 4096) return wrong;
    for (; *sizes; ++sizes) {
        if (size == *sizes) return accepted;
        if (!sizes[1] && size > *sizes) return tail == GARBAGE ? newer : accepted;
    }
    return wrong;
}

/* A job that a call started: its status is the call's. */
static int32_t settle_job(int32_t status, vkd_job *const *out_job) {
    if (status != VKD_OK) return status;
    succeeded = 1;
    status = vkd_job_wait(*out_job, -1);
    vkd_job_free(*out_job);
    return status;
}

static int32_t settle_context(int32_t status, vkd_context *const *out_context) {
    if (status == VKD_OK) vkd_context_free(*out_context);
    return status;
}

static int32_t settle_sequences_file(int32_t status, vkd_sequences_file *const *out_file) {
    if (status == VKD_OK) vkd_sequences_file_free(*out_file);
    return status;
}

static int32_t settle_neighbors_file(int32_t status, vkd_neighbors_file *const *out_file) {
    if (status == VKD_OK) vkd_neighbors_file_free(*out_file);
    return status;
}

static int32_t settle_embeddings(int32_t status, vkd_embeddings *const *out_embeddings) {
    if (status == VKD_OK) vkd_embeddings_free(*out_embeddings);
    return status;
}

/* Threads: handles freed side by side, and a last error for each. */

static void *fail_and_free(void *given) {
    int second = given != NULL;
    for (int round = 0; round < 200; ++round) {
        vkd_job *job = new_job();
        vkd_sequences_file *file = new_sequences_file();
        vkd_context *own = new_context();
        uint32_t kind = 0;
        const char *path = second ? "/nonexistent/second" : "/nonexistent/first";
        if (vkd_results_identify(path, &kind) != VKD_ERROR_FILE) say("a file that is not there");
        vkd_job_free(job);
        vkd_sequences_file_free(file);
        vkd_context_free(own);
        if (!strstr(vkd_last_error(), path)) say("the message of another thread");
    }
    return NULL;
}

static void test_threads(void) {
    snprintf(at_work, sizeof at_work, "threads");
    pthread_t thread;
    if (vkd_results_identify(MARKER, &(uint32_t){0}) == VKD_OK) say("the marker is there");
    if (pthread_create(&thread, NULL, fail_and_free, areas)) exit(11);
    fail_and_free(NULL);
    pthread_join(thread, NULL);
    cases += 400;
}
