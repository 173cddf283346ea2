/* The main job from C: reads a .npy file (f2 or f4, C order), computes all sequences (with a
 * number K: the K nearest of each item), writes them as raw u32 rows. `main_job --leak ROUNDS`
 * creates, computes and frees that many times instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vkd.h"

static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, vkd_last_error());
    return 1;
}

static int leak(long rounds) {
    float items[40 * 3];
    uint32_t out[40 * 40];
    for (int i = 0; i < 120; ++i) items[i] = (float)((i * 7919) % 101) - 50.5f;
    for (long round = 0; round < rounds; ++round) {
        vkd_context *context = NULL;
        vkd_job *job = NULL;
        if (vkd_context_create(NULL, &context) != VKD_OK) return failed("vkd_context_create");
        if (vkd_batch_compute(context, items, 40, 3, NULL, out) != VKD_OK)
            return failed("vkd_batch_compute");
        if (vkd_batch_start(context, items, 40, 3, NULL, &job) != VKD_OK)
            return failed("vkd_batch_start");
        vkd_job_cancel(job);
        vkd_job_free(job);
        vkd_context_free(context);
    }
    printf("%ld rounds\n", rounds);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--leak") == 0) return leak(atol(argv[2]));
    if (argc < 3) {
        fprintf(stderr, "usage: main_job FILE.npy OUT [center|plain [K]]\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    if (!file) return perror(argv[1]), 1;
    unsigned char head[10];
    char text[65536] = {0};
    if (fread(head, 1, 10, file) != 10) return 1;
    size_t head_size = head[8] + 256u * head[9];
    if (fread(text, 1, head_size, file) != head_size) return 1;
    unsigned num_items = 0, dim = 0;
    const char *shape = strstr(text, "'shape': (");
    if (!shape || sscanf(shape, "'shape': (%u, %u)", &num_items, &dim) != 2) return 1;
    int half = strstr(text, "'<f2'") != NULL;
    size_t bytes = (size_t)num_items * dim * (half ? 2 : 4);
    uint32_t k = argc > 4 ? (uint32_t)atol(argv[4]) : 0;
    size_t results = (size_t)num_items * (k ? k : num_items);
    void *items = malloc(bytes);
    uint32_t *out = malloc(results * sizeof *out);
    if (!items || !out || fread(items, 1, bytes, file) != bytes) return 1;
    fclose(file);

    vkd_context *context = NULL;
    vkd_batch_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.element_type = half ? VKD_F16 : VKD_F32;
    options.flags = argc > 3 && strcmp(argv[3], "center") == 0 ? VKD_CENTER : 0;
    vkd_neighbors_options nearest;
    memset(&nearest, 0, sizeof nearest);
    nearest.struct_size = sizeof nearest;
    nearest.element_type = options.element_type;
    nearest.flags = options.flags;
    if (vkd_context_create(NULL, &context) != VKD_OK) return failed("vkd_context_create");
    int32_t status = k ? vkd_neighbors_compute(context, items, num_items, dim, k, &nearest, out,
        NULL)
                       : vkd_batch_compute(context, items, num_items, dim, &options, out);
    if (status != VKD_OK) return failed(vkd_status_name(status));
    vkd_context_free(context);

    FILE *to = fopen(argv[2], "wb");
    if (!to || fwrite(out, sizeof *out, results, to) != results
        || fclose(to)) return perror(argv[2]), 1;
    free(items);
    free(out);
    return 0;
}
