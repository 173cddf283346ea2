/* Neighbours, similarities, their file and a site from C, and wrong input to each. The argument
 * is an empty folder. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vkd.h"

#define N 30
#define K 4

static int failures = 0;
static vkd_context *context;
static float items[N * 3];
static uint32_t indices[N * K];
static float similarities[N * K];

static void expect(const char *what, int32_t got, int32_t wanted, const char *text) {
    if (got != wanted || (wanted < 0 && !strstr(vkd_last_error(), text))) {
        fprintf(stderr, "%s: got %s (%s), wanted %s with \"%s\"\n", what, vkd_status_name(got),
                vkd_last_error(), vkd_status_name(wanted), text);
        ++failures;
    }
}

static void check(const char *what, int right) {
    if (!right) {
        fprintf(stderr, "%s is wrong\n", what);
        ++failures;
    }
}

static vkd_neighbors_options options(void) {
    vkd_neighbors_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

static int32_t find(uint32_t k, const vkd_neighbors_options *given) {
    return vkd_neighbors_compute(context, items, N, 3, k, given, indices, similarities);
}

/* The similarities as a job, their plan, and what asks for another kind of result. */
static void similarity_jobs(const vkd_similarity_options *how, const float *all) {
    vkd_run_plan plan = {0};
    plan.struct_size = sizeof plan;
    expect("plan", vkd_similarity_plan(context, N, 3, how, &plan), VKD_OK, "");
    check("the plan", plan.rows == N && plan.steps == N * N && plan.output_bytes == N * N * 4);
    expect("plan, huge", vkd_similarity_plan(context, 3000000000u, 3, how, &plan),
           VKD_ERROR_TOO_LARGE, "");
    expect("plan, 0", vkd_similarity_plan(context, 0, 3, how, &plan), VKD_ERROR_ZERO_SIZE, "");
    vkd_job *job = NULL;
    expect("start", vkd_similarity_start(context, items, N, 3, how, &job), VKD_OK, "");
    expect("wait", vkd_job_wait(job, -1), VKD_OK, "");
    vkd_job_progress progress = {0};
    progress.struct_size = sizeof progress;
    expect("poll", vkd_job_poll(job, &progress), VKD_OK, "");
    check("the rows", progress.rows_done == N && progress.rows_total == N);
    check("the steps", progress.steps_done == N * N && progress.steps_total == N * N);
    static float fetched[N * N];
    expect("no room", vkd_job_similarity(job, N * N - 1, fetched), VKD_ERROR_OUTPUT_TOO_SMALL,
           "900");
    expect("fetch", vkd_job_similarity(job, N * N, fetched), VKD_OK, "");
    check("the same", memcmp(fetched, all, sizeof fetched) == 0);
    expect("as sequences", vkd_job_sequences(job, N * N, indices), VKD_ERROR_WRONG_JOB_KIND,
           "vkd_job_similarity");
    expect("as neighbours", vkd_job_neighbors(job, N * N, indices, NULL), VKD_ERROR_WRONG_JOB_KIND,
           "vkd_job_similarity");
    vkd_job_free(job);
}

static void searches(void) {
    expect("neighbours", find(K, NULL), VKD_OK, "");
    for (int i = 0; i < N; ++i) {
        for (int place = 0; place < K; ++place) {
            check("a neighbour", indices[i * K + place] < N && (int)indices[i * K + place] != i);
            if (place) check("the order",
                similarities[i * K + place] <= similarities[i * K + place - 1]);
        }
    }
    static float all[N * N], upper[N * (N - 1) / 2];
    vkd_similarity_options how;
    memset(&how, 0, sizeof how);
    how.struct_size = sizeof how;
    expect("similarity", vkd_similarity_compute(context, items, N, 3, NULL, all), VKD_OK, "");
    how.flags = VKD_UPPER_TRIANGLE;
    expect("upper triangle", vkd_similarity_compute(context, items, N, 3, &how, upper), VKD_OK, "");
    for (int i = 0; i < N; ++i) {
        check("a similarity", all[i * N + indices[i * K]] == similarities[i * K]);
        for (int j = i + 1; j < N; ++j)
            check("the triangle", upper[i * N - i * (i + 1) / 2 + j - i - 1] == all[i * N + j]);
    }
    vkd_run_plan plan = {0};
    plan.struct_size = sizeof plan;
    expect("plan", vkd_neighbors_plan(context, N, 3, K, NULL, &plan), VKD_OK, "");
    check("the plan", plan.rows == N && plan.steps == N * N && plan.output_bytes == N * K * 8);
    expect("plan, k", vkd_neighbors_plan(context, N, 3, N, NULL, &plan),
        VKD_ERROR_TOO_MANY_NEIGHBORS, "29");
    expect("plan, NULL", vkd_neighbors_plan(context, N, 3, K, NULL, NULL), VKD_ERROR_NULL_POINTER,
        "out_plan");
    how.flags = VKD_OVERWRITE;
    expect("flags", vkd_similarity_compute(context, items, N, 3, &how, all),
        VKD_ERROR_UNKNOWN_FLAGS, "flags");
    expect("no room", vkd_similarity_compute(context, items, N, 3, NULL, NULL),
        VKD_ERROR_NULL_POINTER, "out_similarities");
    how.flags = 0;
    similarity_jobs(&how, all);
}

static void wrong(void) {
    memset(indices, 0xab, sizeof indices);
    expect("k = 0", find(0, NULL), VKD_ERROR_ZERO_SIZE, "k is 0");
    expect("k = N", find(N, NULL), VKD_ERROR_TOO_MANY_NEIGHBORS, "29 other items");
    expect("k huge", find(UINT32_MAX, NULL), VKD_ERROR_TOO_MANY_NEIGHBORS, "4,294,967,295");
    float queries[2 * 3] = {1, 2, 3, 4, NAN, 6};
    vkd_neighbors_options given = options();
    given.queries = queries;
    expect("0 queries", find(K, &given), VKD_ERROR_ZERO_SIZE, "");
    given.num_queries = 2;
    expect("NaN in a query", find(K, &given), VKD_ERROR_NOT_FINITE,
        "item 1 has a NaN in dimension 1");
    queries[4] = 5;
    expect("queries", find(N, &given), VKD_OK, "");
    memset(indices, 0xab, sizeof indices);
    given = options();
    given.num_queries = 2;
    expect("no queries", find(K, &given), VKD_ERROR_NULL_POINTER, "queries");
    given = options();
    given.flags = VKD_UPPER_TRIANGLE;
    expect("flags", find(K, &given), VKD_ERROR_UNKNOWN_FLAGS, "flags");
    given = options();
    given.output_path = "file";
    expect("a path", find(K, &given), VKD_ERROR_BAD_OPTION, "vkd_neighbors_start");
    given = options();
    given.flags = VKD_OVERWRITE;
    vkd_job *job = NULL;
    expect("overwrite", vkd_neighbors_start(context, items, N, 3, K, &given, &job),
        VKD_ERROR_BAD_OPTION, "output_path");
    items[7] = NAN;
    expect("NaN", find(K, NULL), VKD_ERROR_NOT_FINITE, "item 2 has a NaN");
    items[7] = 0.5f;
    for (int i = 0; i < N * K; ++i) check("an untouched output", indices[i] == 0xabababab);
}

static void file(const char *folder) {
    char path[1000];
    snprintf(path, sizeof path, "%s/file", folder);
    vkd_neighbors_options given = options();
    given.output_path = path;
    vkd_job *job = NULL;
    expect("start", vkd_neighbors_start(context, items, N, 3, K, &given, &job), VKD_OK, "");
    expect("wait", vkd_job_wait(job, -1), VKD_OK, "");
    expect("result", vkd_job_neighbors(job, N * K, indices, NULL), VKD_ERROR_RESULT_IN_FILE,
        "vkd_neighbors_file_open");
    vkd_job_free(job);
    uint32_t kind = 0;
    expect("kind", vkd_results_identify(path, &kind), VKD_OK, "");
    check("the kind", kind == VKD_RESULTS_NEIGHBORS);
    vkd_neighbors_file *opened = NULL;
    vkd_sequences_file *sequences = NULL;
    expect("as sequences", vkd_sequences_file_open(path, &sequences),
        VKD_ERROR_FILE_MISMATCH, "holds neighbours, not sequences");
    expect("open", vkd_neighbors_file_open(path, &opened), VKD_OK, "");
    vkd_neighbors_file_info info = {0};
    info.struct_size = sizeof info;
    expect("info", vkd_neighbors_file_get_info(opened, &info), VKD_OK, "");
    check("the info", info.count == N && info.k == K && info.item_bytes == 2
        && strlen(info.fingerprint) == 32);
    expect("again", find(K, NULL), VKD_OK, "");
    for (uint32_t i = 0; i < N; ++i) {
        const void *row = NULL;
        const float *near = NULL;
        expect("row", vkd_neighbors_file_row(opened, i, &row, &near), VKD_OK, "");
        for (int place = 0; place < K; ++place) {
            check("an item", ((const uint16_t *)row)[place] == indices[i * K + place]);
            check("a similarity", near[place] == similarities[i * K + place]);
        }
    }
    const void *row = NULL;
    expect("row 30", vkd_neighbors_file_row(opened, N, &row, NULL), VKD_ERROR_BAD_OPTION, "30");
    expect("verify", vkd_neighbors_file_verify(opened), VKD_OK, "");
    vkd_neighbors_file_free(opened);
    vkd_neighbors_file_free(NULL);
    expect("no file", vkd_neighbors_file_open("/nonexistent", &opened), VKD_ERROR_FILE,
        "/nonexistent");
}

static int32_t run(int32_t status, vkd_job **started) {
    if (status != VKD_OK) return status;
    vkd_job *job = *started;
    status = vkd_job_wait(job, -1);
    vkd_job_progress progress = {0};
    progress.struct_size = sizeof progress;
    expect("poll", vkd_job_poll(job, &progress), VKD_OK, "");
    if (status == VKD_OK) check("the files", progress.files_done == progress.files_total
        && progress.bytes_written > 0);
    vkd_job_free(job);
    return status;
}

static int same(const char *one, const char *other) {
    FILE *a = fopen(one, "rb"), *b = fopen(other, "rb");
    int c = 0, equal = a && b;
    while (equal && c != EOF) equal = (c = getc(a)) == getc(b);
    if (a) fclose(a);
    if (b) fclose(b);
    return equal;
}

static void site(const char *folder) {
    char directory[1000], rankings[1000], path[1000], first[1100], second[1100];
    char texts[N][8];
    const char *ids[N], *metadata[N];
    for (int i = 0; i < N; ++i) {
        snprintf(texts[i], sizeof texts[i], "id%d", i);
        ids[i] = texts[i];
        metadata[i] = "{\"x\":1}";
    }
    snprintf(directory, sizeof directory, "%s/pages", folder);
    snprintf(rankings, sizeof rankings, "%s/rankings.json", folder);
    snprintf(path, sizeof path, "%s/file", folder);
    vkd_site_options how;
    memset(&how, 0, sizeof how);
    how.struct_size = sizeof how;
    how.directory = directory;
    how.rankings_path = rankings;
    how.ids = ids;
    how.metadata = metadata;
    how.num_items = N;
    vkd_job *job = NULL;
    expect("site", run(vkd_site_start(context, items, N, 3, K, NULL, &how, &job), &job), VKD_OK,
        "");
    vkd_run_plan plan = {0};
    plan.struct_size = sizeof plan;
    expect("site plan", vkd_site_plan(context, N, 3, K, NULL, &how, &plan), VKD_OK, "");
    check("the plan", plan.rows == N && plan.steps == N * N && plan.output_bytes == 0);
    expect("site plan, k", vkd_site_plan(context, N, 3, N, NULL, &how, &plan),
           VKD_ERROR_TOO_MANY_NEIGHBORS, "29");
    expect("blocking", vkd_site_compute(context, items, N, 3, K, NULL, &how), VKD_OK, "");
    snprintf(first, sizeof first, "%s/id17.json", directory);
    snprintf(second, sizeof second, "%s/again/id17.json", folder);
    snprintf(directory, sizeof directory, "%s/again", folder);
    how.rankings_path = NULL;
    vkd_site_source input;
    memset(&input, 0, sizeof input);
    input.struct_size = sizeof input;
    expect("no input", vkd_site_write_start(&input, &how, &job), VKD_ERROR_BAD_OPTION,
        "exactly one");
    input.path = path;
    expect("from a file", run(vkd_site_write_start(&input, &how, &job), &job), VKD_OK, "");
    check("the page", same(first, second));
    remove(second);
    expect("written", vkd_site_write(&input, &how), VKD_OK, "");
    check("the page again", same(first, second));
    remove(second);
    input.path = NULL;
    vkd_neighbors_file *file = NULL;
    vkd_neighbors_file_info info = {0};
    info.struct_size = sizeof info;
    expect("open", vkd_neighbors_file_open(path, &file), VKD_OK, "");
    expect("info", vkd_neighbors_file_get_info(file, &info), VKD_OK, "");
    /* The open file counts, not what has its path; it may be freed while the job is at work. */
    remove(path);
    remove(second);
    input.neighbors_file = file;
    expect("start, open", vkd_site_write_start(&input, &how, &job), VKD_OK, "");
    vkd_neighbors_file_free(file);
    expect("from an open file", run(VKD_OK, &job), VKD_OK, "");
    check("the page from an open file", same(first, second));
    remove(second);
    input.path = path;
    expect("two inputs", vkd_site_write_start(&input, &how, &job), VKD_ERROR_BAD_OPTION,
        "exactly one");
    input.path = NULL;
    input.neighbors_file = NULL;
    /* A caller of the first version, whose struct ends before the handles. */
    input.struct_size = 48;
    input.num_rows = N;
    input.row_length = K;
    input.indices = indices;
    expect("no similarities", vkd_site_write_start(&input, &how, &job), VKD_ERROR_NULL_POINTER,
        "similarities");
    input.similarities = similarities;
    expect("from memory", run(vkd_site_write_start(&input, &how, &job), &job), VKD_OK, "");
    check("the page from memory", same(first, second));
    how.top = 2;
    indices[5] = N;
    expect("no item", run(vkd_site_write_start(&input, &how, &job), &job), VKD_ERROR_BAD_OPTION,
        "30");

    ids[3] = "a/b";
    expect("a bad id", vkd_site_start(context, items, N, 3, K, NULL, &how, &job), VKD_ERROR_BAD_ID,
        "item 3");
    ids[3] = ids[2];
    expect("an id twice", vkd_site_start(context, items, N, 3, K, NULL, &how, &job),
        VKD_ERROR_BAD_ID, "same");
    ids[3] = NULL;
    expect("no id", vkd_site_start(context, items, N, 3, K, NULL, &how, &job),
        VKD_ERROR_NULL_POINTER, "ids");
    ids[3] = texts[3];
    metadata[4] = "{";
    expect("metadata", vkd_site_start(context, items, N, 3, K, NULL, &how, &job),
        VKD_ERROR_BAD_METADATA, "item 4");
    metadata[4] = "null";
    how.num_items = N - 1;
    expect("29 ids", vkd_site_start(context, items, N, 3, K, NULL, &how, &job),
        VKD_ERROR_BAD_OPTION, "30 items");
    how.num_items = N;
    how.directory = "/proc/nonexistent/pages";
    expect("no folder", run(vkd_site_start(context, items, N, 3, K, NULL, &how, &job), &job),
        VKD_ERROR_FILE, "/proc/nonexistent");
    how.directory = NULL;
    expect("no place", vkd_site_start(context, items, N, 3, K, NULL, &how, &job),
        VKD_ERROR_BAD_OPTION, "directory");
    expect("no options", vkd_site_start(context, items, N, 3, K, NULL, NULL, &job),
        VKD_ERROR_NULL_POINTER, "site_options");
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    for (int i = 0; i < N * 3; ++i) items[i] = (float)((i * 7919) % 101) - 50.5f;
    items[7] = 0.5f;
    if (vkd_context_create(NULL, &context) != VKD_OK) return 1;
    searches();
    wrong();
    file(argv[1]);
    site(argv[1]);
    vkd_context_free(context);
    return failures != 0;
}
