/* Files of results from C: `results PATH`. Plans, writes, opens, reads, finds, verifies, and
 * every wrong call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vkd.h"

enum { ITEMS = 50, DIM = 3, LENGTH = 20 };

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    float items[ITEMS * DIM];
    for (int i = 0; i < ITEMS * DIM; ++i) items[i] = (float)((i * 7919) % 101) - 50.5f;
    vkd_context *context = NULL;
    CHECK(vkd_context_create(NULL, &context) == VKD_OK);
    vkd_batch_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.length = LENGTH;

    vkd_run_plan plan;
    plan.struct_size = sizeof plan;
    CHECK(vkd_batch_plan(context, ITEMS, DIM, &options, &plan) == VKD_OK);
    CHECK(plan.rows == ITEMS && plan.steps == ITEMS * (LENGTH - 1));
    CHECK(plan.output_bytes == ITEMS * LENGTH * 4 && plan.host_bytes > plan.output_bytes);
    CHECK(vkd_batch_plan(context, 0, DIM, &options, &plan) == VKD_ERROR_ZERO_SIZE);
    CHECK(vkd_batch_plan(context, ITEMS, 0, &options, &plan) == VKD_ERROR_ZERO_SIZE);
    CHECK(vkd_batch_plan(NULL, ITEMS, DIM, &options, &plan) == VKD_ERROR_NULL_POINTER);
    CHECK(vkd_batch_plan(context, ITEMS, DIM, &options, NULL) == VKD_ERROR_NULL_POINTER);

    uint32_t memory[ITEMS * LENGTH];
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, memory) == VKD_OK);
    options.flags = VKD_OVERWRITE;
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, memory) == VKD_ERROR_BAD_OPTION);
    options.flags = 0;
    options.output_path = "";
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL) == VKD_ERROR_BAD_OPTION);
    options.output_path = "/no/such/folder/file";
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL) == VKD_ERROR_FILE);
    options.output_path = argv[1];
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL) == VKD_OK);
    vkd_job *job = NULL;
    CHECK(vkd_batch_start(context, items, ITEMS, DIM, &options, &job) == VKD_OK);
    CHECK(vkd_job_wait(job, -1) == VKD_OK);
    CHECK(vkd_job_sequences(job, ITEMS * LENGTH, memory) == VKD_ERROR_RESULT_IN_FILE);
    vkd_job_free(job);

    vkd_sequences_file *file = NULL;
    CHECK(vkd_sequences_file_open(NULL, &file) == VKD_ERROR_NULL_POINTER);
    CHECK(vkd_sequences_file_open(argv[1], NULL) == VKD_ERROR_NULL_POINTER);
    CHECK(vkd_sequences_file_open("/no/such/file", &file) == VKD_ERROR_FILE);
    CHECK(vkd_sequences_file_open(argv[0], &file) == VKD_ERROR_BAD_FILE && file == NULL);
    CHECK(vkd_sequences_file_open(argv[1], &file) == VKD_OK);
    vkd_sequences_file_info info;
    info.struct_size = sizeof info;
    CHECK(vkd_sequences_file_get_info(file, &info) == VKD_OK);
    CHECK(info.count == ITEMS && info.length == LENGTH && info.num_items == ITEMS);
    CHECK(info.item_bytes == 2 && info.flags == 0 && strlen(info.fingerprint) == 32);
    CHECK(!strcmp(info.version, vkd_version_string()));
    for (uint32_t index = 0; index < ITEMS; ++index) {
        const void *row = NULL;
        uint32_t part[LENGTH], found = 0;
        CHECK(vkd_sequences_file_row(file, index, &row) == VKD_OK);
        CHECK(vkd_sequences_file_copy_row(file, index, 0, LENGTH, part) == VKD_OK);
        CHECK(!memcmp(part, memory + index * LENGTH, sizeof part));
        for (int k = 0; k < LENGTH; ++k) CHECK(((const uint16_t *)row)[k] == part[k]);
        CHECK(vkd_sequences_file_copy_row(file, index, 5, 3, part) == VKD_OK);
        CHECK(part[2] == memory[index * LENGTH + 7]);
        CHECK(vkd_sequences_file_find(file, index, &found) == VKD_OK && found == index);
    }
    uint32_t one = 0;
    const void *row = NULL;
    CHECK(vkd_sequences_file_row(file, ITEMS, &row) == VKD_ERROR_BAD_OPTION);
    CHECK(vkd_sequences_file_copy_row(file, 0, 1, LENGTH, memory) == VKD_ERROR_BAD_OPTION);
    CHECK(vkd_sequences_file_copy_row(file, 0, 0xffffffffu, 2, memory) == VKD_ERROR_BAD_OPTION);
    CHECK(vkd_sequences_file_find(file, ITEMS, &one) == VKD_ERROR_START_OUT_OF_RANGE);
    CHECK(vkd_sequences_file_verify(file) == VKD_OK);
    vkd_verify_report report;
    report.struct_size = sizeof report;
    CHECK(vkd_sequences_file_verify_against(file, items, ITEMS, DIM, NULL, &report) == VKD_OK);
    CHECK(report.sequences_checked == 16 && report.picks_checked == 16 * (LENGTH - 1));
    CHECK(report.worst_regret < 0.001);
    items[4] += 1;
    CHECK(vkd_sequences_file_verify_against(file, items, ITEMS, DIM, NULL,
        &report) == VKD_ERROR_FILE_MISMATCH);
    CHECK(vkd_batch_compute(context, items, ITEMS, DIM, &options, NULL) == VKD_ERROR_FILE_MISMATCH);
    vkd_sequences_file_free(file);
    vkd_sequences_file_free(NULL);
    vkd_context_free(context);
    return 0;
}
