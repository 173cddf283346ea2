/* Runs in parts from C: `merge FOLDER`. Computes, describes, merges, compares with one run, and
 * every wrong call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vkd.h"

enum { ITEMS = 17, DIM = 3, LENGTH = 5, PARTS = 4, ROOM = 4096 };

static float items[ITEMS * DIM];
static char paths[PARTS][ROOM], whole[ROOM], merged[ROOM];

static int says(const char *part) { return strstr(vkd_last_error(), part) != NULL; }

static int same_bytes(const char *one, const char *other) {
    FILE *files[] = {fopen(one, "rb"), fopen(other, "rb")};
    CHECK(files[0] && files[1]);
    int a, b;
    do {
        a = getc(files[0]);
        b = getc(files[1]);
    } while (a == b && a != EOF);
    fclose(files[0]);
    fclose(files[1]);
    return a == b;
}

static vkd_batch_options part(uint32_t index, uint32_t count) {
    vkd_batch_options options = {.struct_size = sizeof options, .length = LENGTH};
    options.shard_index = index;
    options.shard_count = count;
    return options;
}

static void compute(vkd_context *context) {
    vkd_batch_options options = part(0, 0);
    uint32_t all[ITEMS * LENGTH], some[ITEMS * LENGTH];
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, all) == VKD_OK);
    /* Rows 4 x 1 / 4 = 4 to 17 x 2 / 4 = 8 are the second part's. */
    options = part(2, PARTS);
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, some) == VKD_OK);
    CHECK(memcmp(some, all + 4 * LENGTH, 4 * LENGTH * sizeof *all) == 0);
    vkd_run_plan plan = {.struct_size = sizeof plan};
    CHECK(vkd_batch_plan(context, ITEMS, DIM, &options, &plan) == VKD_OK && plan.rows == 4);
    /* An older program knows of no parts. */
    options.struct_size = 96;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, some) == VKD_OK);
    CHECK(memcmp(some, all, sizeof all) == 0);
    const uint32_t wrong[][2] = {{0, 4}, {5, 4}, {1, 0}, {1, ITEMS + 1}};
    for (int i = 0; i < 4; ++i) {
        options = part(wrong[i][0], wrong[i][1]);
        CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, some)
              == VKD_ERROR_BAD_OPTION);
        CHECK(says("shard is "));
    }
    CHECK(says("shard is 1/18; the run has 17 sequences"));
    options = part(0, 0);
    options.output_path = whole;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL) == VKD_OK);
    for (uint32_t i = 0; i < PARTS; ++i) {
        options = part(i + 1, PARTS);
        options.output_path = paths[i];
        CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL) == VKD_OK);
    }
    options.shard_index = 1;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL)
          == VKD_ERROR_FILE_MISMATCH);
    CHECK(says("its part of a run is 4/4, not 1/4"));
}

static vkd_sequences_file_info info_of(const char *path, uint32_t size) {
    vkd_sequences_file *file = NULL;
    CHECK(vkd_sequences_file_open(path, &file) == VKD_OK);
    vkd_sequences_file_info info;
    memset(&info, 0xff, sizeof info);
    info.struct_size = size;
    CHECK(vkd_sequences_file_get_info(file, &info) == VKD_OK);
    vkd_sequences_file_free(file);
    return info;
}

static void merge(void) {
    const char *parts[PARTS] = {paths[2], paths[0], paths[3], paths[1]};
    vkd_merge_options options = {.struct_size = sizeof options, .path = merged};
    CHECK(vkd_merge_write(NULL, PARTS, &options) == VKD_ERROR_NULL_POINTER && says("parts"));
    CHECK(vkd_merge_write(parts, 0, &options) == VKD_ERROR_ZERO_SIZE && says("num_parts"));
    CHECK(vkd_merge_write(parts, PARTS, NULL) == VKD_ERROR_NULL_POINTER);
    CHECK(vkd_merge_write(parts, 3, &options) == VKD_ERROR_FILE_MISMATCH);
    CHECK(says("part 2 of 4 is missing"));
    options.path = NULL;
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_ERROR_NULL_POINTER);
    options.path = paths[1];
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_ERROR_BAD_FILE);
    CHECK(says("one of the files that are to be merged"));
    options.path = merged;
    options.flags = VKD_CENTER;
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_ERROR_UNKNOWN_FLAGS);
    options.flags = 0;
    parts[1] = "/no/such/file";
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_ERROR_FILE);
    parts[1] = NULL;
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_ERROR_NULL_POINTER);
    parts[1] = whole;
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_ERROR_FILE_MISMATCH);
    CHECK(says("holds a whole run"));
    CHECK(fopen(merged, "rb") == NULL);
    parts[1] = paths[0];
    CHECK(vkd_merge_write(parts, PARTS, &options) == VKD_OK && same_bytes(whole, merged));

    vkd_job *job = NULL;
    CHECK(vkd_merge_write_start(parts, PARTS, &options, NULL) == VKD_ERROR_NULL_POINTER);
    options.flags = VKD_OVERWRITE;
    CHECK(vkd_merge_write_start(parts, PARTS, &options, &job) == VKD_OK);
    CHECK(vkd_job_wait(job, -1) == VKD_OK);
    vkd_job_progress progress = {.struct_size = sizeof progress};
    CHECK(vkd_job_poll(job, &progress) == VKD_OK);
    CHECK(progress.rows_written == ITEMS && progress.rows_total == ITEMS);
    CHECK(progress.files_done == 1 && progress.files_total == 1 && progress.bytes_written > 0);
    CHECK(vkd_job_sequences(job, 1, &(uint32_t){0}) == VKD_ERROR_WRONG_JOB_KIND);
    vkd_job_free(job);
    CHECK(same_bytes(whole, merged));

    vkd_sequences_file_info info = info_of(paths[2], sizeof info);
    CHECK(info.shard_index == 3 && info.shard_count == PARTS && info.whole_count == ITEMS);
    CHECK(info.count == 4 && info.reserved == 0);
    info = info_of(merged, sizeof info);
    CHECK(info.shard_index == 0 && info.shard_count == 0 && info.whole_count == ITEMS);
    info = info_of(merged, 104);
    CHECK(info.count == ITEMS && info.shard_index == 0xffffffff);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    for (int i = 0; i < ITEMS * DIM; ++i) items[i] = (float)((i * 7919) % 101) - 50.5f;
    for (int i = 0; i < PARTS; ++i) snprintf(paths[i], ROOM, "%s/part %d", argv[1], i + 1);
    snprintf(whole, ROOM, "%s/whole", argv[1]);
    snprintf(merged, ROOM, "%s/merged", argv[1]);
    vkd_context *context = NULL;
    CHECK(vkd_context_create(NULL, &context) == VKD_OK);
    compute(context);
    vkd_context_free(context);
    merge();
    return 0;
}
