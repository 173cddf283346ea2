/* Embeddings from files, from C: `embeddings FOLDER`. Opens what it wrote in several formats, reads
 * values and ids, computes with them, writes them anew, admits rows of zeros, and makes every wrong
 * call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vkd.h"

enum { ITEMS = 4, DIM = 3 };

static const float wanted[ITEMS * DIM] = {1, 0, 0, 0.5f, 0.5f, 0, 0, 1, -2.25f, 3, 0, 0.125f};
static const char json[] =
    "{\"embeddings\":[{\"id\":\"sea\",\"embedding\":[1,0,0]},\n"
    "{\"id\":\"ocean \\u00e9\",\"embedding\":[0.5,5e-1,0]},\n"
    "{\"id\":\"stone\",\"embedding\":[0,1,-2.25]},{\"id\":\"\",\"embedding\":[3,0,0.125]}]}";

static char path[4][700];

static const char *put(int number, const void *bytes, size_t count) {
    FILE *file = fopen(path[number], "wb");
    CHECK(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0);
    return path[number];
}

static int says(const char *text) { return strstr(vkd_last_error(), text) != NULL; }

static vkd_embeddings_info info_of(const vkd_embeddings *embeddings) {
    vkd_embeddings_info info;
    memset(&info, 0xa5, sizeof info);
    info.struct_size = sizeof info;
    CHECK(vkd_embeddings_get_info(embeddings, &info) == VKD_OK);
    CHECK(info.num_items == ITEMS && info.dim == DIM && info.reserved == 0);
    return info;
}

/* The values are those above, as 32-bit floats. */
static const float *check_values(const vkd_embeddings *embeddings) {
    const void *data = NULL;
    CHECK(info_of(embeddings).element_type == VKD_F32);
    CHECK(vkd_embeddings_data(embeddings, &data) == VKD_OK);
    CHECK(memcmp(data, wanted, sizeof wanted) == 0);
    return data;
}

static void check_ids(const vkd_embeddings *embeddings) {
    static const char *const ids[ITEMS] = {"sea", "ocean \xc3\xa9", "stone", ""};
    CHECK(info_of(embeddings).flags == VKD_IDS);
    for (uint32_t i = 0; i < ITEMS; ++i) {
        const char *text = NULL;
        uint64_t bytes = 0;
        uint32_t item = 99;
        CHECK(vkd_embeddings_id(embeddings, i, &text, &bytes) == VKD_OK);
        CHECK(bytes == strlen(ids[i]) && memcmp(text, ids[i], bytes) == 0);
        CHECK(vkd_embeddings_find(embeddings, ids[i], &item) == VKD_OK && item == i);
    }
    uint32_t item = 99;
    CHECK(vkd_embeddings_find(embeddings, "se", &item) == VKD_ERROR_NO_SUCH_ID && item == 99);
    CHECK(says("has the id \"se\""));
}

/* What is wrong with a file is said with its place. */
static void flawed(const char *text, int32_t status, const char *message) {
    vkd_embeddings *embeddings = NULL;
    CHECK(vkd_embeddings_open(put(3, text, strlen(text)), NULL, &embeddings) == status);
    CHECK(embeddings == NULL && says(message) && says(path[3]));
}

static void rows_of_zeros(vkd_context *context) {
    static const float zeros[5 * 2] = {1, 0, 0, 0, 0, 1, 0, 0, -1, -0.5f};
    uint32_t rows[5 * 5], again[5 * 5];
    float similarities[5 * 4];
    vkd_batch_options batch = {.struct_size = sizeof batch};
    vkd_neighbors_options search = {.struct_size = sizeof search};
    vkd_similarity_options pairs = {.struct_size = sizeof pairs};
    CHECK(vkd_batch_compute(context, zeros, 5, 2, &batch, rows) == VKD_ERROR_ZERO_NORM);
    CHECK(says("item 1") && says("VKD_ZERO_ROWS"));
    batch.flags = search.flags = pairs.flags = VKD_ZERO_ROWS;
    CHECK(vkd_batch_compute(context, zeros, 5, 2, &batch, rows) == VKD_OK);
    CHECK(rows[0] == 0 && rows[1] == 4 && rows[5] == 1 && rows[6] == 0);
    CHECK(vkd_neighbors_compute(context, zeros, 5, 2, 4, &search, again, similarities) == VKD_OK);
    /* Of a row of zeros all are equally near: the lowest number first. */
    CHECK(again[4] == 0 && again[5] == 2 && again[6] == 3 && again[7] == 4);
    for (int k = 4; k < 8; ++k) CHECK(similarities[k] == 0);
    search.queries = zeros + 2;
    search.num_queries = 1;
    CHECK(vkd_neighbors_compute(context, zeros, 5, 2, 2, &search, again, NULL) == VKD_OK);
    CHECK(again[0] == 0 && again[1] == 1);
    float all[5 * 5];
    CHECK(vkd_similarity_compute(context, zeros, 5, 2, &pairs, all) == VKD_OK);
    CHECK(all[1] == 0 && all[5 + 1] == 0 && all[0] > 0.999f && all[4] < -0.8f);
    vkd_run_plan plan = {.struct_size = sizeof plan};
    CHECK(vkd_batch_plan(context, 5, 2, &batch, &plan) == VKD_OK);
    /* A file of them has a fingerprint, and can be verified. */
    batch.output_path = path[2];
    CHECK(vkd_batch_compute(context, zeros, 5, 2, &batch, NULL) == VKD_OK);
    vkd_sequences_file *file = NULL;
    CHECK(vkd_sequences_file_open(path[2], &file) == VKD_OK);
    vkd_verify_report report = {.struct_size = sizeof report};
    vkd_verify_options verify = {.struct_size = sizeof verify, .flags = VKD_ZERO_ROWS};
    CHECK(vkd_sequences_file_verify_against(file, zeros, 5, 2, NULL, &report) == VKD_OK);
    CHECK(vkd_sequences_file_verify_against(file, zeros, 5, 2, &verify, &report) == VKD_OK);
    CHECK(report.worst_regret < 0.001 && report.picks_checked > 10);
    vkd_sequences_file_free(file);
    /* The second item is the mean of all. */
    static const float mean[3] = {1, 2, 3};
    batch.output_path = NULL;
    batch.flags = VKD_CENTER;
    CHECK(vkd_batch_compute(context, mean, 3, 1, &batch, rows) == VKD_ERROR_ZERO_NORM_CENTERED);
    CHECK(says("VKD_ZERO_ROWS"));
    batch.flags = VKD_CENTER | VKD_ZERO_ROWS;
    CHECK(vkd_batch_compute(context, mean, 3, 1, &batch, rows) == VKD_OK && rows[1] == 2);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    for (int i = 0; i < 4; ++i) snprintf(path[i], sizeof path[i], "%s/%d", argv[1], i);
    vkd_embeddings *embeddings = NULL;
    CHECK(vkd_embeddings_open(put(0, json, sizeof json - 1), NULL, &embeddings) == VKD_OK);
    const float *values = check_values(embeddings);
    check_ids(embeddings);

    vkd_context *context = NULL;
    CHECK(vkd_context_create(NULL, &context) == VKD_OK);
    uint32_t rows[ITEMS * ITEMS], direct[ITEMS * ITEMS];
    CHECK(vkd_batch_compute(context, values, ITEMS, DIM, NULL, rows) == VKD_OK);
    CHECK(vkd_batch_compute(context, wanted, ITEMS, DIM, NULL, direct) == VKD_OK);
    CHECK(memcmp(rows, direct, sizeof rows) == 0);

    /* Written and opened again, with ids and without. */
    CHECK(vkd_embeddings_write(embeddings, path[1], VKD_FORMAT_SAFETENSORS, 0) == VKD_OK);
    CHECK(vkd_embeddings_write(embeddings, path[1], VKD_FORMAT_SAFETENSORS, 0)
        == VKD_ERROR_BAD_FILE);
    CHECK(vkd_embeddings_write(embeddings, path[1], VKD_FORMAT_SAFETENSORS, VKD_OVERWRITE)
        == VKD_OK);
    CHECK(vkd_embeddings_write(embeddings, path[0], VKD_FORMAT_NPY, VKD_OVERWRITE)
        == VKD_ERROR_BAD_FILE);
    CHECK(vkd_embeddings_write(embeddings, path[2], VKD_FORMAT_NPY, 0) == VKD_OK);
    CHECK(vkd_embeddings_write(embeddings, path[2], 2, 0) == VKD_ERROR_BAD_OPTION);
    CHECK(vkd_embeddings_write(embeddings, path[2], 0, 1) == VKD_ERROR_UNKNOWN_FLAGS);
    vkd_embeddings_free(embeddings);
    CHECK(vkd_embeddings_open(path[1], NULL, &embeddings) == VKD_OK);
    check_values(embeddings);
    check_ids(embeddings);
    vkd_embeddings_free(embeddings);
    CHECK(vkd_embeddings_open(path[2], NULL, &embeddings) == VKD_OK);
    check_values(embeddings);
    CHECK(info_of(embeddings).flags == 0);
    const char *text = NULL;
    uint64_t bytes = 0;
    uint32_t item = 0;
    CHECK(vkd_embeddings_id(embeddings, 0, &text, &bytes) == VKD_ERROR_NO_SUCH_ID && !text);
    CHECK(vkd_embeddings_find(embeddings, "sea", &item) == VKD_ERROR_NO_SUCH_ID);
    CHECK(vkd_embeddings_id(embeddings, ITEMS, &text, &bytes) == VKD_ERROR_BAD_OPTION);
    vkd_embeddings_free(embeddings);
    vkd_embeddings_free(NULL);
    remove(path[2]);

    /* Options: raw values with ids from a text file, and keys of JSON. */
    static const char ids[] = "sea\nocean \xc3\xa9\r\nstone\n\n";
    vkd_embeddings_options options = {.struct_size = sizeof options};
    options.dim = DIM;
    options.ids_path = put(1, ids, sizeof ids - 1);
    CHECK(vkd_embeddings_open(put(0, wanted, sizeof wanted), &options, &embeddings) == VKD_OK);
    check_values(embeddings);
    check_ids(embeddings);
    vkd_embeddings_free(embeddings);
    options.element_type = VKD_F64;
    options.dim = 0;
    CHECK(vkd_embeddings_open(path[0], &options, &embeddings) == VKD_ERROR_BAD_OPTION);
    static const char keys[] = "{\"all\":[{\"n\":1,\"e\":[1,2]},{\"n\":2,\"e\":[0,1]}]}";
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.id_key = "n";
    options.embedding_key = "e";
    options.list_key = "all";
    CHECK(vkd_embeddings_open(put(0, keys, sizeof keys - 1), &options, &embeddings) == VKD_OK);
    CHECK(vkd_embeddings_find(embeddings, "2", &item) == VKD_OK && item == 1);
    vkd_embeddings_free(embeddings);

    embeddings = NULL;
    CHECK(vkd_embeddings_open("/no/such/file", NULL, &embeddings) == VKD_ERROR_FILE);
    CHECK(vkd_embeddings_open(NULL, NULL, &embeddings) == VKD_ERROR_NULL_POINTER);
    CHECK(vkd_embeddings_open(path[0], NULL, NULL) == VKD_ERROR_NULL_POINTER);
    CHECK(vkd_embeddings_data(NULL, NULL) == VKD_ERROR_NULL_POINTER);
    flawed("what is this?", VKD_ERROR_BAD_EMBEDDINGS, "in no format that vkd knows");
    flawed("[[1,2],\n[3]]", VKD_ERROR_BAD_EMBEDDINGS, "line 2, byte 1");
    flawed("[[1,NaN]]", VKD_ERROR_NOT_FINITE, "dimension 1");
    flawed("[]", VKD_ERROR_ZERO_SIZE, "no embeddings");
    flawed("{\"id\":\"a\",\"embedding\":[1]}\n{\"id\":\"a\",\"embedding\":[2]}", VKD_ERROR_BAD_ID,
        "items 0 and 1");
    rows_of_zeros(context);
    vkd_context_free(context);
    return 0;
}
