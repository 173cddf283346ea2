/* Ids in files of results from C: `ids SEQUENCES NEIGHBORS`. Writes, tells, finds, compares, and
 * what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vkd.h"

enum { ITEMS = 12, DIM = 3, LENGTH = 5 };

static float items[ITEMS * DIM];
static char texts[ITEMS][16];
static const char *ids[ITEMS], *others[ITEMS];

static int says(const char *part) { return strstr(vkd_last_error(), part) != NULL; }

static void compute(vkd_context *context, char **paths) {
    vkd_batch_options batch = {.struct_size = sizeof batch, .length = LENGTH, .ids = ids};
    uint32_t rows[ITEMS * LENGTH];
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &batch, rows) == VKD_ERROR_BAD_OPTION);
    CHECK(says("ids is set") && says("output_path"));
    batch.output_path = paths[0];
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &batch, NULL) == VKD_OK);
    vkd_neighbors_options search = {.struct_size = sizeof search, .ids = ids};
    search.output_path = paths[1];
    vkd_job *job = NULL;
    CHECK(vkd_neighbors_start(context, items, ITEMS, DIM, LENGTH, &search, &job) == VKD_OK);
    CHECK(vkd_job_wait(job, -1) == VKD_OK);
    vkd_job_free(job);
    /* Other ids; two that are equal; none, which is fine; an older program, which knows of none. */
    batch.ids = others;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &batch, NULL) == VKD_ERROR_FILE_MISMATCH);
    CHECK(says("\"psalm-3\" at item 3, not \"psalm-x\" at item 3"));
    search.ids = others;
    CHECK(vkd_neighbors_start(context, items, ITEMS, DIM, LENGTH, &search, &job)
          == VKD_ERROR_FILE_MISMATCH);
    others[4] = others[5];
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &batch, NULL) == VKD_ERROR_BAD_ID);
    vkd_run_plan plan = {.struct_size = sizeof plan};
    CHECK(vkd_batch_plan(context, ITEMS, DIM, &batch, &plan) == VKD_ERROR_BAD_ID);
    others[4] = ids[4];
    CHECK(vkd_batch_plan(context, ITEMS, DIM, &batch, &plan) == VKD_OK);
    batch.ids = NULL;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &batch, NULL) == VKD_OK);
    batch.ids = others;
    batch.struct_size = 80;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &batch, NULL) == VKD_OK);
}

static void read_sequences(const char *path) {
    vkd_sequences_file *file = NULL;
    CHECK(vkd_sequences_file_open(path, &file) == VKD_OK);
    vkd_sequences_file_info info = {.struct_size = sizeof info};
    CHECK(vkd_sequences_file_get_info(file, &info) == VKD_OK && info.flags == VKD_IDS);
    const char *text = NULL;
    uint64_t bytes = 0;
    for (uint32_t item = 0; item < ITEMS; ++item) {
        uint32_t found = ITEMS;
        CHECK(vkd_sequences_file_id(file, item, &text, &bytes) == VKD_OK);
        CHECK(bytes == strlen(ids[item]) && !memcmp(text, ids[item], bytes));
        CHECK(vkd_sequences_file_find_id(file, ids[item], &found) == VKD_OK && found == item);
    }
    uint32_t found = 77;
    CHECK(vkd_sequences_file_id(file, ITEMS, &text, &bytes) == VKD_ERROR_BAD_OPTION);
    CHECK(vkd_sequences_file_find_id(file, "psalm", &found) == VKD_ERROR_NO_SUCH_ID && found == 77);
    CHECK(says("has the id \"psalm\""));
    vkd_check_options check = {.struct_size = sizeof check, .ids = ids};
    CHECK(vkd_sequences_file_check(file, items, ITEMS, DIM, NULL) == VKD_OK);
    CHECK(vkd_sequences_file_check(file, items, ITEMS, DIM, &check) == VKD_OK);
    CHECK(vkd_sequences_file_check(file, items, ITEMS - 1, DIM, NULL) == VKD_ERROR_FILE_MISMATCH);
    check.ids = others;
    CHECK(vkd_sequences_file_check(file, items, ITEMS, DIM, &check) == VKD_ERROR_FILE_MISMATCH);
    CHECK(says("id is \"psalm-3\" at item 3, theirs is \"psalm-x\""));
    items[7] += 1;
    CHECK(vkd_sequences_file_check(file, items, ITEMS, DIM, NULL) == VKD_ERROR_FILE_MISMATCH);
    CHECK(says("fingerprint"));
    items[7] -= 1;
    vkd_sequences_file_free(file);
}

static void read_neighbors(const char *path) {
    vkd_neighbors_file *file = NULL;
    CHECK(vkd_neighbors_file_open(path, &file) == VKD_OK);
    vkd_neighbors_file_info info = {.struct_size = sizeof info};
    CHECK(vkd_neighbors_file_get_info(file, &info) == VKD_OK && info.flags == VKD_IDS);
    const char *text = NULL;
    uint64_t bytes = 0;
    uint32_t found = ITEMS;
    CHECK(vkd_neighbors_file_id(file, 11, &text, &bytes) == VKD_OK);
    CHECK(bytes == 8 && !memcmp(text, "psalm-11", 8));
    CHECK(vkd_neighbors_file_find_id(file, "psalm-11", &found) == VKD_OK && found == 11);
    CHECK(vkd_neighbors_file_find_id(file, "psalm-12", &found) == VKD_ERROR_NO_SUCH_ID);
    vkd_check_options check = {.struct_size = sizeof check, .ids = others};
    CHECK(vkd_neighbors_file_check(file, items, ITEMS, DIM, NULL) == VKD_OK);
    CHECK(vkd_neighbors_file_check(file, items, ITEMS, DIM, &check) == VKD_ERROR_FILE_MISMATCH);
    vkd_neighbors_file_free(file);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    for (int i = 0; i < ITEMS * DIM; ++i) items[i] = (float)((i * 7919) % 101) - 50.5f;
    for (int i = 0; i < ITEMS; ++i) {
        snprintf(texts[i], sizeof texts[i], "psalm-%d", i);
        ids[i] = others[i] = texts[i];
    }
    others[3] = "psalm-x";
    vkd_context *context = NULL;
    CHECK(vkd_context_create(NULL, &context) == VKD_OK);
    compute(context, argv + 1);
    vkd_context_free(context);
    read_sequences(argv[1]);
    read_neighbors(argv[2]);
    return 0;
}
