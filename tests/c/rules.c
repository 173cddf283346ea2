/* Rules, heads and values from C. Reads raw f32 rows from a file and cases from the standard input,
 * one a line: rule, lambda (negative: not given), 1 to centre, length, how many starts or heads,
 * the length of heads (0: starts), and their items. For each it writes the items, then the values,
 * to the output: those of vkd_batch_compute, which must be those of a job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vkd.h"

static vkd_context *context;
static float *embeddings;
static uint32_t num_items, dim;

static void need(int32_t status, const char *what) {
    if (status == VKD_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, vkd_status_name(status), vkd_last_error());
    exit(1);
}

static void *room(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory) exit(1);
    return memory;
}

/* The same as a job, whose options have a flag instead of room for values. */
static void compare_with_job(const vkd_batch_options *options, size_t places,
                             const uint32_t *items, const float *values) {
    vkd_batch_options other = *options;
    other.out_values = NULL;
    other.flags |= VKD_VALUES;
    vkd_job *job = NULL;
    need(vkd_batch_start(context, embeddings, num_items, dim, &other, &job), "start");
    need(vkd_job_wait(job, -1), "wait");
    uint32_t *job_items = room(places * sizeof *job_items);
    float *job_values = room(places * sizeof *job_values);
    need(vkd_job_sequences(job, places, job_items), "sequences");
    need(vkd_job_values(job, places, job_values), "values");
    if (vkd_job_values(job, places - 1, job_values) != VKD_ERROR_OUTPUT_TOO_SMALL) exit(3);
    if (memcmp(items, job_items, places * sizeof *items) != 0) exit(4);
    if (memcmp(values, job_values, places * sizeof *values) != 0) exit(5);
    vkd_job_free(job);
    free(job_items);
    free(job_values);
}

static int one_case(FILE *to) {
    vkd_batch_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    uint32_t center, count, head;
    if (scanf("%u %lf %u %u %u %u", &options.rule, &options.lambda, &center, &options.length,
              &count, &head) != 6)
        return 0;
    if (options.lambda < 0)
        options.lambda = 0;
    else
        options.flags |= VKD_LAMBDA;
    if (center) options.flags |= VKD_CENTER;
    size_t given = (size_t)count * (head ? head : 1);
    uint32_t *list = room(given * sizeof *list);
    for (size_t i = 0; i < given; ++i)
        if (scanf("%u", &list[i]) != 1) exit(2);
    if (head) {
        options.heads = list;
        options.num_heads = count;
        options.head_length = head;
    } else if (count) {
        options.starts = list;
        options.num_starts = count;
    }
    size_t places = (size_t)(count ? count : num_items) * options.length;
    uint32_t *items = room(places * sizeof *items);
    float *values = room(places * sizeof *values);
    options.out_values = values;
    need(vkd_batch_compute(context, embeddings, num_items, dim, &options, items), "compute");
    /* Of the larger corpora that would only take long. */
    if (num_items < 1000) compare_with_job(&options, places, items, values);
    if (fwrite(items, sizeof *items, places, to) != places) exit(1);
    if (fwrite(values, sizeof *values, places, to) != places) exit(1);
    free(items);
    free(values);
    free(list);
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: rules FILE ITEMS DIM OUT < CASES\n");
        return 2;
    }
    num_items = (uint32_t)atol(argv[2]);
    dim = (uint32_t)atol(argv[3]);
    size_t numbers = (size_t)num_items * dim;
    embeddings = room(numbers * sizeof *embeddings);
    FILE *file = fopen(argv[1], "rb");
    if (!file || fread(embeddings, sizeof *embeddings, numbers, file) != numbers) return 1;
    fclose(file);
    need(vkd_context_create(NULL, &context), "context");
    FILE *to = fopen(argv[4], "wb");
    if (!to) return perror(argv[4]), 1;
    while (one_case(to)) {
    }
    vkd_context_free(context);
    free(embeddings);
    return fclose(to) != 0;
}
