/* The older interface beside vkd's own: the same sequences and similarities, what is refused, and
 * handles that are destroyed in any order. `compat FOLDER` writes files there. Prints nothing on
 * stdout; each refused call prints a line on stderr. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vkd.h"
#include "vkd_compat.h"

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "compat.c:%d: %s\n", __LINE__, #condition);         \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

enum { N = 150, D = 12, BATCH = 5, PAIRS = N * (N - 1) / 2 };

static float rows[N * D];
static float widened[N * D];
static uint16_t halves[N * D];
static uint32_t of_floats[N * N];
static uint32_t of_halves[N * N];
static float triangle[PAIRS];
static const uint32_t starts[BATCH] = {3, 149, 3, 0, 77};

static void make_rows(void) {
    uint32_t state = 7;
    for (int i = 0; i < N * D; i++) {
        state = state * 1664525u + 1013904223u;
        rows[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    vkc_fp32_to_fp16(rows, halves, N * D);
    for (int i = 0; i < N * D; i++) widened[i] = vkc_fp16_to_fp32(halves[i]);
}

/* What vkd's own interface says. */
static void compute_expected(void) {
    struct vkd_context *context = NULL;
    struct vkd_similarity_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = VKD_UPPER_TRIANGLE;
    CHECK(vkd_context_create(NULL, &context) == VKD_OK);
    CHECK(vkd_batch_compute(context, rows, N, D, NULL, of_floats) == VKD_OK);
    CHECK(vkd_batch_compute(context, widened, N, D, NULL, of_halves) == VKD_OK);
    CHECK(vkd_similarity_compute(context, rows, N, D, &options, triangle) == VKD_OK);
    vkd_context_free(context);
}

static int is_row(const uint32_t *row, const uint32_t *all, uint32_t start, uint32_t length) {
    if (memcmp(row, all + (size_t)start * N, length * sizeof *row) != 0) return 0;
    for (uint32_t i = length; i < N; i++)
        if (row[i] != 0) return 0;
    return 1;
}

static void check_batch(struct vkc_batch *batch, const uint32_t *all, uint32_t length) {
    uint32_t out[BATCH * N];
    memset(out, 0xff, sizeof out);
    CHECK(vkd_batch_download_sequences(batch, out) == 0);
    for (int i = 0; i < BATCH; i++) CHECK(is_row(out + i * N, all, starts[i], length));
}

static struct vkc_batch *begin(struct vkc_context *context, const void *given) {
    struct vkc_batch *batch = vkd_batch_init(context, given, N, D, BATCH, starts);
    CHECK(batch != NULL);
    return batch;
}

static void single_sequences(struct vkc_context *context) {
    float *copied = malloc(sizeof rows);
    uint32_t out[N];
    CHECK(copied != NULL);
    memcpy(copied, rows, sizeof rows);
    struct vkc_diversity *diversity = vkd_init(context, copied, N, D);
    CHECK(diversity != NULL);
    free(copied);
    for (uint32_t call = 0; call < 2 * N; call++) {
        uint32_t start = call < N ? call : call * 37 % N;
        CHECK(vkd_compute_sequence(diversity, start, out) == 0);
        CHECK(is_row(out, of_floats, start, N));
    }
    CHECK(vkd_compute_sequence(NULL, 0, out) == -1);
    CHECK(vkd_compute_sequence(diversity, 0, NULL) == -1);
    CHECK(vkd_compute_sequence(diversity, N, out) == -1);
    CHECK(vkd_compute_sequence(diversity, UINT32_MAX, out) == -1);
    vkd_destroy(diversity);
    CHECK(vkd_init(NULL, rows, N, D) == NULL);
    CHECK(vkd_init(context, NULL, N, D) == NULL);
    CHECK(vkd_init(context, rows, 0, D) == NULL);
    CHECK(vkd_init(context, rows, N, 0) == NULL);
    float bad[2] = {NAN, 1.0f};
    CHECK(vkd_init(context, bad, 1, 2) == NULL);
}

static void batches(struct vkc_context *context) {
    /* Halves are copied: in memory that ends where they end, and is gone before the first chunk. */
    uint16_t *given = malloc(sizeof halves);
    CHECK(given != NULL);
    memcpy(given, halves, sizeof halves);
    struct vkc_batch *batch = begin(context, given);
    free(given);
    check_batch(batch, of_halves, 1);
    CHECK(vkd_batch_compute_chunk(batch, 1, 10) == 0);
    check_batch(batch, of_halves, 11);
    CHECK(vkd_batch_compute_chunk_pipelined(batch, 11, 20, 256) == 0);
    check_batch(batch, of_halves, 31);
    CHECK(vkd_batch_compute_chunk(batch, 31, N - 31) == 0);
    check_batch(batch, of_halves, N);
    check_batch(batch, of_halves, N);
    CHECK(vkd_batch_compute_chunk(batch, 1, N) == -1);
    CHECK(vkd_batch_compute_chunk(batch, UINT32_MAX, UINT32_MAX) == -1);
    CHECK(vkd_batch_compute_chunk(batch, 1, 0) == -1);
    CHECK(vkd_batch_compute_chunk(NULL, 1, 10) == -1);
    CHECK(vkd_batch_compute_chunk_pipelined(NULL, 1, 10, 1) == -1);
    CHECK(vkd_batch_download_sequences(batch, NULL) == -1);
    CHECK(vkd_batch_download_sequences(NULL, of_floats) == -1);
    vkd_batch_destroy(batch);

    batch = begin(context, rows);
    CHECK(vkd_batch_step(batch, 0, NULL) == 0);
    CHECK(vkd_batch_step(batch, 1, NULL) == 0);
    check_batch(batch, of_floats, 2);
    for (uint32_t i = 2; i < N; i++) CHECK(vkd_batch_step(batch, i, NULL) == 0);
    CHECK(vkd_batch_step(batch, N, NULL) == -1);
    CHECK(vkd_batch_step(NULL, 1, NULL) == -1);
    check_batch(batch, of_floats, N);
    vkd_batch_destroy(batch);

    uint32_t beyond = N;
    CHECK(vkd_batch_init(NULL, halves, N, D, BATCH, starts) == NULL);
    CHECK(vkd_batch_init(context, NULL, N, D, BATCH, starts) == NULL);
    CHECK(vkd_batch_init(context, halves, N, D, BATCH, NULL) == NULL);
    CHECK(vkd_batch_init(context, halves, 0, D, BATCH, starts) == NULL);
    CHECK(vkd_batch_init(context, halves, N, 0, BATCH, starts) == NULL);
    CHECK(vkd_batch_init(context, halves, N, D, 0, starts) == NULL);
    CHECK(vkd_batch_init(context, halves, N, D, 1, &beyond) == NULL);
}

/* Fewer items than scripts try places, an odd number of dimensions, an odd address. */
static void small_batches(struct vkc_context *context) {
    char *odd = malloc(1 + 3 * 3 * 4);
    uint32_t first = 0, out[3];
    CHECK(odd != NULL);
    for (uint32_t n = 1; n <= 3; n++) {
        memcpy(odd + 1, halves, n * 3 * sizeof *halves);
        struct vkc_batch *batch = vkd_batch_init(context, odd + 1, n, 3, 1, &first);
        CHECK(batch != NULL && vkd_batch_compute_chunk(batch, 1, 10) == 0);
        CHECK(vkd_batch_download_sequences(batch, out) == 0 && out[0] == 0);
        for (uint32_t i = 1; i < n; i++) CHECK(out[i] == 1 || out[i] == 2);
        vkd_batch_destroy(batch);
        memcpy(odd + 1, rows, n * 3 * sizeof *rows);
        batch = vkd_batch_init(context, odd + 1, n, 3, 1, &first);
        CHECK(batch != NULL && vkd_batch_step(batch, n - 1, NULL) == 0);
        vkd_batch_destroy(batch);
    }
    uint16_t infinite[2] = {0x7c00, 0x3c00};
    struct vkc_batch *batch = vkd_batch_init(context, infinite, 2, 1, 1, &first);
    CHECK(batch != NULL && vkd_batch_compute_chunk(batch, 1, 1) == -6);
    CHECK(vkd_batch_download_sequences(batch, out) == 0);
    vkd_batch_destroy(batch);
    free(odd);
}

/* A row of zeros is as far from all as two rows at right angles. */
static void zero_rows(struct vkc_context *context) {
    const float given[4 * 2] = {1, 0, 0, 0, 1, 0.5f, -1, -0.25f};
    const uint32_t expected[4] = {0, 3, 2, 1};
    float similarities[6];
    uint32_t out[4];
    struct vkc_diversity *diversity = vkd_init(context, given, 4, 2);
    CHECK(diversity != NULL && vkd_compute_sequence(diversity, 0, out) == 0);
    CHECK(memcmp(out, expected, sizeof out) == 0);
    vkd_destroy(diversity);
    struct vkc_similarity *similarity = vks_init(context, given, 4, 2);
    CHECK(similarity != NULL);
    CHECK(vks_compute_all_similarities_parallel(similarity, similarities) == 0);
    CHECK(similarities[0] == 0 && similarities[3] == 0 && similarities[4] == 0);
    CHECK(similarities[2] < -0.9f);
    vks_destroy(similarity);
    const float nothing[3] = {0, 0, 0};
    diversity = vkd_init(context, nothing, 3, 1);
    CHECK(diversity != NULL && vkd_compute_sequence(diversity, 1, out) == 0);
    CHECK(out[0] == 1 && out[1] == 0 && out[2] == 2);
    vkd_destroy(diversity);
}

static void similarities(struct vkc_context *context, const char *folder) {
    static float found[PAIRS];
    static uint32_t numbers[N];
    static const char *ids[N];
    char path[4096];
    float one;
    struct vkc_similarity *similarity = vks_init(context, rows, N, D);
    CHECK(similarity != NULL);
    CHECK(vks_compute_all_similarities_parallel(similarity, found) == 0);
    CHECK(memcmp(found, triangle, sizeof found) == 0);
    for (size_t i = 0; i < N; i++) {
        memset(found, 0xff, sizeof found);
        CHECK(vks_compute_similarities_for_poem(similarity, (uint32_t)i, found) == 0);
        const float *expected = triangle + i * N - i * (i + 1) / 2;
        CHECK(memcmp(found, expected, (N - 1 - i) * sizeof *found) == 0);
    }
    one = 7;
    CHECK(vks_compute_similarities_for_poem(similarity, N - 1, &one) == 0);
    CHECK(vks_compute_similarities_for_poem(similarity, UINT32_MAX, &one) == 0 && one == 7);
    CHECK(vks_compute_similarities_for_poem(NULL, 0, found) == -6);
    CHECK(vks_compute_similarities_for_poem(similarity, 0, NULL) == -6);
    CHECK(vks_compute_all_similarities_parallel(NULL, found) == -6);
    CHECK(vks_compute_all_similarities_parallel(similarity, NULL) == -6);
    CHECK(vks_init(NULL, rows, N, D) == NULL && vks_init(context, NULL, N, D) == NULL);
    CHECK(vks_init(context, rows, 0, D) == NULL && vks_init(context, rows, N, 0) == NULL);
    vks_destroy(similarity);
    similarity = vks_init(context, rows, 1, D);
    CHECK(vks_compute_all_similarities_parallel(similarity, &one) == 0 && one == 7);
    vks_destroy(similarity);

    for (uint32_t i = 0; i < N; i++) {
        numbers[i] = i + 1;
        ids[i] = "an id";
    }
    snprintf(path, sizeof path, "%s/rankings.json", folder);
    CHECK(vks_write_similarity_files_parallel(triangle, N, numbers, ids, folder, 3) == 0);
    CHECK(vks_write_rankings_cache_parallel(triangle, N, numbers, path, 99, 0) == 0);
    CHECK(vks_write_similarity_files_parallel(NULL, N, numbers, ids, folder, 3) == -6);
    CHECK(vks_write_similarity_files_parallel(triangle, N, NULL, ids, folder, 3) == -6);
    CHECK(vks_write_similarity_files_parallel(triangle, N, numbers, NULL, folder, 3) == -6);
    CHECK(vks_write_similarity_files_parallel(triangle, N, numbers, ids, NULL, 3) == -6);
    CHECK(vks_write_similarity_files_parallel(triangle, N, numbers, ids, path, 3) == -6);
    CHECK(vks_write_rankings_cache_parallel(NULL, N, numbers, path, 1, 0) == -6);
    CHECK(vks_write_rankings_cache_parallel(triangle, N, NULL, path, 1, 0) == -6);
    CHECK(vks_write_rankings_cache_parallel(triangle, N, numbers, NULL, 1, 0) == -6);
    CHECK(vks_write_rankings_cache_parallel(triangle, N, numbers, folder, 1, 0) == -6);
}

/* Contexts before their children, and several at once. */
static void orders(void) {
    struct vkc_context *one = vkc_init(0), *two = vkc_init(1);
    uint32_t out[N];
    float found;
    CHECK(one != NULL && two != NULL);
    CHECK(strcmp(vkc_get_device_name(one), "Unknown") != 0);
    CHECK(strcmp(vkc_get_device_name(one), vkc_get_device_name(two)) == 0);
    CHECK(strcmp(vkc_get_device_name(NULL), "Unknown") == 0);
    CHECK(vkc_get_device_memory(one) > 0 && vkc_get_device_memory(NULL) == 0);
    struct vkc_diversity *diversity = vkd_init(one, rows, N, D);
    struct vkc_batch *batch = begin(one, halves);
    struct vkc_similarity *similarity = vks_init(one, rows, 2, D);
    vkc_destroy(one);
    CHECK(vkd_compute_sequence(diversity, 5, out) == 0 && is_row(out, of_floats, 5, N));
    CHECK(vkd_batch_compute_chunk(batch, 1, N - 1) == 0);
    check_batch(batch, of_halves, N);
    CHECK(vks_compute_all_similarities_parallel(similarity, &found) == 0 && found == triangle[0]);
    vkd_destroy(diversity);
    vkd_batch_destroy(batch);
    vks_destroy(similarity);
    vkc_destroy(two);
    vkc_destroy(NULL);
    vkd_destroy(NULL);
    vkd_batch_destroy(NULL);
    vks_destroy(NULL);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    make_rows();
    compute_expected();
    struct vkc_context *context = vkc_init(0);
    CHECK(context != NULL);
    single_sequences(context);
    batches(context);
    small_batches(context);
    zero_rows(context);
    similarities(context, argv[1]);
    vkc_destroy(context);
    orders();
    CHECK(vkc_progress_mode() == 0);
    vkc_progress_update_ex("nothing", 1, 2, NULL);
    vkc_progress_update_ex(NULL, 1, 0, "nothing");
    vkc_progress_finish();
    CHECK(strcmp(vkc_get_error_string(-6), "Command execution failed") == 0);
    return 0;
}
