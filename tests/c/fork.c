/* A fork while a context is open and a job at work: `fork FILE [vulkan]`. In the child
 * every call on the parent's handles is refused, freeing them does nothing, and nothing hangs; a
 * result file is opened, and a context of its own made and used, on the CPU where the parent has a
 * Vulkan device open. The parent does not notice. */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vkd.h"

enum { ITEMS = 40, DIM = 3, LONG = 2000 };

static int failures;
static int parent_has_vulkan;

static void expect(const char *what, int32_t got, int32_t wanted) {
    if (got == wanted) return;
    fprintf(stderr, "%s: %s (%s), not %s\n", what, vkd_status_name(got), vkd_last_error(),
            vkd_status_name(wanted));
    ++failures;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void fill(float *values, int count) {
    for (int i = 0; i < count; ++i) values[i] = (float)((i * 7919) % 101) - 50.5f;
}

static vkd_context *open_context(void) {
    vkd_context *context = NULL;
    expect("create", vkd_context_create(NULL, &context), VKD_OK);
    return context;
}

static void compute(vkd_context *context, const float *items, uint32_t *out) {
    expect("compute", vkd_batch_compute(context, items, ITEMS, DIM, NULL, out), VKD_OK);
}

/* What the child does with what its parent made. */
static void refused(vkd_context *context, vkd_job *job, vkd_job *done, const float *items) {
    const int32_t other = VKD_ERROR_OTHER_PROCESS;
    double begin = now();
    uint32_t out[ITEMS * ITEMS];
    float similarities[ITEMS * ITEMS];
    vkd_job *none = NULL;
    vkd_device_info info = {0};
    vkd_run_plan plan = {0};
    vkd_job_progress progress = {0};
    info.struct_size = sizeof info;
    plan.struct_size = sizeof plan;
    progress.struct_size = sizeof progress;
    expect("compute there", vkd_batch_compute(context, items, ITEMS, DIM, NULL, out), other);
    expect("start there", vkd_batch_start(context, items, ITEMS, DIM, NULL, &none), other);
    expect("plan there", vkd_batch_plan(context, ITEMS, DIM, NULL, &plan), other);
    expect("neighbours there",
           vkd_neighbors_compute(context, items, ITEMS, DIM, 3, NULL, out, similarities), other);
    expect("similarity there",
           vkd_similarity_compute(context, items, ITEMS, DIM, NULL, similarities), other);
    expect("info there", vkd_context_get_info(context, &info), other);
    if (!strstr(vkd_last_error(), "fork")) ++failures;
    expect("poll there", vkd_job_poll(job ? job : done, &progress), other);
    expect("wait there", vkd_job_wait(job ? job : done, -1), other);
    expect("fetch there", vkd_job_sequences(done, sizeof out / sizeof *out, out), other);
    vkd_job_cancel(job);
    vkd_job_free(job);
    vkd_job_free(done);
    vkd_context_free(context);
    if (now() - begin > 1) {
        fprintf(stderr, "refusals took %.1f s\n", now() - begin);
        ++failures;
    }
}

/* What it does on its own. */
static void alive(const char *path, const float *items, const uint32_t *expected) {
    uint32_t out[ITEMS * ITEMS];
    vkd_sequences_file *file = NULL;
    expect("open there", vkd_sequences_file_open(path, &file), VKD_OK);
    expect("verify there", vkd_sequences_file_verify(file), VKD_OK);
    vkd_sequences_file_free(file);
    vkd_context *context = NULL;
    vkd_context_options options = {0};
    options.struct_size = sizeof options;
    if (parent_has_vulkan) {
        expect("Vulkan there", vkd_context_create(NULL, &context), VKD_ERROR_OTHER_PROCESS);
        if (!strstr(vkd_last_error(), "\"cpu\"")) ++failures;
        options.device = "cpu";
    }
    expect("create there", vkd_context_create(&options, &context), VKD_OK);
    compute(context, items, out);
    if (memcmp(out, expected, sizeof out) != 0) ++failures;
    uint32_t devices = 0;
    expect("devices there", vkd_device_count(&devices), VKD_OK);
    if (devices < 2) ++failures;
    vkd_context_free(context);
}

static void child(const char *what, void (*work)(void *), void *data) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        failures = 0;
        alarm(60);
        work(data);
        exit(failures != 0);
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "%s: the child ended with %#x\n", what, (unsigned)status);
        ++failures;
    }
}

struct family {
    const char *path;
    vkd_context *context;
    vkd_job *job, *done;
    const float *items;
    uint32_t *expected;
};

static void all(void *data) {
    struct family *f = data;
    refused(f->context, f->job, f->done, f->items);
    alive(f->path, f->items, f->expected);
}

static void only_alive(void *data) {
    struct family *f = data;
    alive(f->path, f->items, f->expected);
}

/* As a Lua state that ends: what was made last is freed first, nothing else is done. */
static void only_free(void *data) {
    struct family *f = data;
    vkd_job_free(f->job);
    vkd_context_free(f->context);
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    static float items[ITEMS * DIM], many[LONG * DIM];
    static uint32_t expected[ITEMS * ITEMS], again[ITEMS * ITEMS];
    fill(items, ITEMS * DIM);
    fill(many, LONG * DIM);
    parent_has_vulkan = argc == 3;
    struct family f = {argv[1], open_context(), NULL, NULL, items, expected};
    compute(f.context, items, expected);
    vkd_batch_options into_file = {0};
    into_file.struct_size = sizeof into_file;
    into_file.output_path = f.path;
    expect("file", vkd_batch_compute(f.context, items, ITEMS, DIM, &into_file, NULL), VKD_OK);
    expect("start", vkd_batch_start(f.context, items, ITEMS, DIM, NULL, &f.done), VKD_OK);
    expect("wait", vkd_job_wait(f.done, -1), VKD_OK);
    /* Nothing at work; then a job, and one that waits for it. */
    child("idle", all, &f);
    vkd_job *waits = NULL;
    expect("start", vkd_batch_start(f.context, many, LONG, DIM, NULL, &f.job), VKD_OK);
    expect("start", vkd_batch_start(f.context, many, LONG, DIM, NULL, &waits), VKD_OK);
    usleep(20000);
    child("at work", all, &f);
    child("freeing", only_free, &f);
    vkd_job_free(waits);
    vkd_job_free(f.job);
    vkd_job_free(f.done);
    compute(f.context, items, again);
    if (memcmp(expected, again, sizeof again) != 0) ++failures;
    vkd_context_free(f.context);
    /* Nothing is open any more: the child may have all. */
    parent_has_vulkan = 0;
    child("after all", only_alive, &f);
    return failures != 0;
}
