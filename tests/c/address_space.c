/* Runs under limits of address space: whatever a limit is, every call ends with a status, the
 * process lives and nothing is printed.
 *
 * Each limit has a child of its own, which sets it to what it has mapped and so many bytes more,
 * and then computes: address_space STEP_KB STEPS FOLDER. Prints how many children ended with what.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vkd.h"

#define ITEMS 700
#define DIM 16
#define K 20

/* How a child ends whose call had an unexpected status. */
#define UNEXPECTED 99

static float embeddings[ITEMS * DIM];
static char path[4096];

/* Statuses that a small limit may lead to. */
static int allowed(int32_t status) {
    return status == VKD_OK || status == VKD_ERROR_TOO_LARGE || status == VKD_ERROR_HOST_MEMORY ||
           status == VKD_ERROR_NO_THREAD || status == VKD_ERROR_FILE;
}

/* Bytes that this process has mapped. */
static unsigned long mapped(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lu", &pages) != 1) exit(UNEXPECTED);
    fclose(file);
    return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

static int32_t sequences(vkd_context *context) {
    vkd_batch_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.length = 40;
    options.output_path = path;
    return vkd_batch_compute(context, embeddings, ITEMS, DIM, &options, NULL);
}

static int32_t neighbors(vkd_context *context) {
    static uint32_t indices[ITEMS * K];
    return vkd_neighbors_compute(context, embeddings, ITEMS, DIM, K, NULL, indices, NULL);
}

static int32_t check(void) {
    vkd_sequences_file *file = NULL;
    int32_t status = vkd_sequences_file_open(path, &file);
    vkd_verify_report report;
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    if (status == VKD_OK)
        status = vkd_sequences_file_verify_against(file, embeddings, ITEMS, DIM, NULL, &report);
    vkd_sequences_file_free(file);
    return status;
}

/* What a child does; returns 0 where all was done, 1 where something was refused. */
static int run(unsigned long more) {
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = mapped() + more;
    if (setrlimit(RLIMIT_AS, &limit)) return UNEXPECTED;
    vkd_context_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.device = "cpu";
    vkd_context *context = NULL;
    int32_t status = vkd_context_create(&options, &context);
    if (!allowed(status)) return UNEXPECTED;
    if (status != VKD_OK) return 1;
    int refused = 0;
    for (int call = 0; call < 3; ++call) {
        status = call == 0 ? neighbors(context) : call == 1 ? sequences(context) : check();
        if (!allowed(status)) {
            fprintf(stderr, "call %d: %s: %s\n", call, vkd_status_name(status), vkd_last_error());
            return UNEXPECTED;
        }
        /* Without sequences there is no file to check. */
        refused |= status != VKD_OK;
        if (call == 1 && status != VKD_OK) break;
    }
    vkd_context_free(context);
    return refused;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    unsigned long step = strtoul(argv[1], NULL, 10) << 10, steps = strtoul(argv[2], NULL, 10);
    char log[4096];
    snprintf(log, sizeof log, "%s/log", argv[3]);
    snprintf(path, sizeof path, "%s/results", argv[3]);
    for (size_t at = 0; at < ITEMS * DIM; ++at)
        embeddings[at] = (float)((at * 2654435761u >> 7) % 1000) - 499.5f;
    unsigned long done = 0, refused = 0, failed = 0;
    for (unsigned long at = 0; at < steps; ++at) {
        remove(path);
        pid_t child = fork();
        if (child < 0) return 3;
        if (child == 0) {
            int to = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (to < 0 || dup2(to, 1) < 0 || dup2(to, 2) < 0) _exit(UNEXPECTED);
            _exit(run(at * step));
        }
        int status = 0;
        struct stat about;
        if (waitpid(child, &status, 0) != child || stat(log, &about)) return 4;
        int ended = WIFEXITED(status) ? WEXITSTATUS(status) : UNEXPECTED;
        if (about.st_size > 0 || ended > 1) {
            char text[400] = "";
            int from = open(log, O_RDONLY);
            if (from >= 0 && read(from, text, sizeof text - 1) < 0) text[0] = 0;
            close(from);
            fprintf(stderr, "%lu KiB more: ended with %#x: %s\n", at * step >> 10, status, text);
            ++failed;
        } else if (ended == 1) {
            ++refused;
        } else {
            ++done;
        }
    }
    printf("%lu done, %lu refused, %lu failed\n", done, refused, failed);
    return failed > 0;
}
