/* Bad input: every case gives its status, a message with the offending item, value or limit,
 * and leaves the output as it was. The first argument "vulkan" adds the cases that need a
 * Vulkan device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vkd.h"

static int failures = 0, cases = 0;
static vkd_context *context;
static float items[4 * 2];
static uint32_t out[16];

static void reset(void) {
    static const float good[8] = {1, 0, 0, 1, -1, 0.5f, 0.25f, 0.5f};
    memcpy(items, good, sizeof items);
    memset(out, 0xab, sizeof out);
}

static void expect(const char *what, int32_t got, int32_t wanted, const char *text) {
    ++cases;
    int untouched = 1;
    for (size_t i = 0; i < 16; ++i) untouched &= out[i] == 0xabababab;
    const char *message = vkd_last_error();
    if (got != wanted || (wanted < 0 && (!strstr(message, text) || !untouched))) {
        fprintf(stderr, "%s: got %s (%s)%s, wanted %s with \"%s\"\n", what, vkd_status_name(got),
            message,
                untouched ? "" : " and a changed output", vkd_status_name(wanted), text);
        ++failures;
    }
    reset();
}

static vkd_batch_options batch(void) {
    vkd_batch_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

static int32_t compute(const vkd_batch_options *options) {
    return vkd_batch_compute(context, items, 4, 2, options, out);
}

static int32_t create(const char *device, uint32_t kernel, uint32_t target, uint64_t limit) {
    vkd_context_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.device = device;
    options.sequence_kernel = kernel;
    options.submit_target_ms = target;
    options.memory_limit = limit;
    vkd_context *other = NULL;
    int32_t status = vkd_context_create(&options, &other);
    if (status == VKD_OK && limit) status = vkd_batch_compute(other, items, 4, 2, NULL, out);
    vkd_context_free(other);
    return status;
}

static void pointers(void) {
    vkd_job *job = NULL;
    uint32_t count;
    expect("no context", vkd_batch_compute(NULL, items, 4, 2, NULL, out), VKD_ERROR_NULL_POINTER,
        "context");
    expect("no items", vkd_batch_compute(context, NULL, 4, 2, NULL, out), VKD_ERROR_NULL_POINTER,
        "embeddings");
    expect("no output", vkd_batch_compute(context, items, 4, 2, NULL, NULL), VKD_ERROR_NULL_POINTER,
        "out_sequences");
    expect("no out job", vkd_batch_start(context, items, 4, 2, NULL, NULL), VKD_ERROR_NULL_POINTER,
        "out_job");
    expect("start, no items", vkd_batch_start(context, NULL, 4, 2, NULL, &job),
        VKD_ERROR_NULL_POINTER, "embeddings");
    expect("no out context", vkd_context_create(NULL, NULL), VKD_ERROR_NULL_POINTER, "out_context");
    expect("no count", vkd_device_count(NULL), VKD_ERROR_NULL_POINTER, "out_count");
    expect("no info", vkd_device_get_info(0, NULL), VKD_ERROR_NULL_POINTER, "out_info");
    expect("no context info", vkd_context_get_info(context, NULL), VKD_ERROR_NULL_POINTER,
        "out_info");
    expect("wait for nothing", vkd_job_wait(NULL, 0), VKD_ERROR_NULL_POINTER, "job");
    expect("poll nothing", vkd_job_poll(NULL, NULL), VKD_ERROR_NULL_POINTER, "job");
    expect("result of nothing", vkd_job_sequences(NULL, 1, out), VKD_ERROR_NULL_POINTER, "job");
    expect("misaligned", vkd_batch_compute(context,
        (const float *)(const void *)((const char *)items + 1), 1, 1, NULL, out),
            VKD_ERROR_BAD_OPTION, "aligned");
    vkd_job_cancel(NULL);
    vkd_job_free(NULL);
    vkd_context_free(NULL);
    expect("device count", vkd_device_count(&count), VKD_OK, "");
    vkd_device_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    expect("device index", vkd_device_get_info(count, &info), VKD_ERROR_BAD_OPTION,
        "numbered from 0");
    expect("last device", vkd_device_get_info(count - 1, &info), VKD_OK, "");
    if (info.kind != VKD_DEVICE_REFERENCE || strcmp(info.name, "reference") != 0) ++failures;
    info.struct_size = 8;
    expect("small info", vkd_device_get_info(0, &info), VKD_ERROR_STRUCT_SIZE,
        "sizeof(vkd_device_info), 1328 bytes");
}

static void data(void) {
    expect("zero items", vkd_batch_compute(context, items, 0, 2, NULL, out), VKD_ERROR_ZERO_SIZE,
        "num_items");
    expect("zero dim", vkd_batch_compute(context, items, 4, 0, NULL, out), VKD_ERROR_ZERO_SIZE,
        "dim");
    items[5] = NAN;
    expect("NaN", compute(NULL), VKD_ERROR_NOT_FINITE, "item 2 has a NaN in dimension 1");
    items[6] = -INFINITY;
    expect("infinity", compute(NULL), VKD_ERROR_NOT_FINITE,
        "item 3 has an infinity in dimension 0");
    items[2] = items[3] = 0;
    expect("zero length", compute(NULL), VKD_ERROR_ZERO_NORM, "item 1");
    vkd_batch_options options = batch();
    options.flags = VKD_CENTER;
    for (int i = 0; i < 8; ++i) items[i] = (float)(i % 2);
    expect("zero after centring", compute(&options), VKD_ERROR_ZERO_NORM_CENTERED, "item 0");
    float one[65537] = {1};
    expect("too many dimensions", vkd_batch_compute(context, one, 1, 65537, NULL, out),
        VKD_ERROR_DIM_TOO_LARGE, "65,536");
}

static void batch_options(void) {
    uint32_t starts[3] = {3, 1, 4};
    vkd_batch_options options = batch();
    options.starts = starts;
    options.num_starts = 3;
    expect("start out of range", compute(&options), VKD_ERROR_START_OUT_OF_RANGE,
        "starts[2] is 4; item numbers run from 0 to 3");
    options.num_starts = 0;
    expect("no starts", compute(&options), VKD_ERROR_ZERO_SIZE, "num_starts");
    options.starts = NULL;
    options.num_starts = 2;
    expect("starts NULL", compute(&options), VKD_ERROR_NULL_POINTER, "starts");
    starts[1] = 3;
    options.starts = starts;
    expect("duplicate starts", compute(&options), VKD_OK, "");
    options = batch();
    options.length = 5;
    expect("length", compute(&options), VKD_ERROR_LENGTH_OUT_OF_RANGE,
        "length is 5, more than the number of items, 4");
    options = batch();
    options.flags = 0x202;
    expect("flags", compute(&options), VKD_ERROR_UNKNOWN_FLAGS, "0x202");
    options = batch();
    options.element_type = 7;
    expect("element type", compute(&options), VKD_ERROR_BAD_OPTION, "element_type is 7");
    options = batch();
    options.reserved = 1;
    expect("reserved", compute(&options), VKD_ERROR_BAD_OPTION, "reserved");
    options = batch();
    uint32_t sizes[4] = {0, 4, 31, 100000};
    for (int i = 0; i < 4; ++i) {
        options.struct_size = sizes[i];
        expect("struct_size", compute(&options), VKD_ERROR_STRUCT_SIZE,
            "sizeof(vkd_batch_options)");
    }
    struct {
        vkd_batch_options known;
        uint64_t future;
    } newer = {batch(), 0};
    newer.known.struct_size = sizeof newer;
    expect("newer struct, zero tail", compute(&newer.known), VKD_OK, "");
    newer.future = 1;
    expect("newer struct, tail set", compute(&newer.known), VKD_ERROR_NEWER_STRUCT, "104");
    /* The first version ended with output_path: what lies behind it is not looked at. */
    options = batch();
    options.rule = 99;
    options.reserved_2 = 1;
    options.struct_size = 40;
    expect("older struct", compute(&options), VKD_OK, "");
    expect("all defaults", compute(NULL), VKD_OK, "");
}

static void jobs(void) {
    vkd_job *job = NULL;
    vkd_job_progress progress;
    memset(&progress, 0, sizeof progress);
    progress.struct_size = sizeof progress;
    expect("start", vkd_batch_start(context, items, 4, 2, NULL, &job), VKD_OK, "");
    expect("wait", vkd_job_wait(job, -1), VKD_OK, "");
    expect("poll", vkd_job_poll(job, &progress), VKD_OK, "");
    if (progress.state != VKD_JOB_DONE || progress.steps_done != 12 || progress.rows_done != 4) {
        fprintf(stderr, "progress of a finished job is wrong\n");
        ++failures;
    }
    progress.struct_size = 12;
    expect("poll, small struct", vkd_job_poll(job, &progress), VKD_ERROR_STRUCT_SIZE, "136 bytes");
    expect("result, no room", vkd_job_sequences(job, 15, out), VKD_ERROR_OUTPUT_TOO_SMALL,
        "the result has 16");
    expect("result", vkd_job_sequences(job, 16, out), VKD_OK, "");
    vkd_job_free(job);
}

int main(int argc, char **argv) {
    (void)argv;
    reset();
    if (vkd_context_create(NULL, &context) != VKD_OK) {
        fprintf(stderr, "%s\n", vkd_last_error());
        return 1;
    }
    pointers();
    data();
    batch_options();
    jobs();
    expect("absent device", create("Voodoo 2", 0, 0, 0), VKD_ERROR_DEVICE_NOT_FOUND, "reference");
    expect("kernel", create(NULL, 9, 0, 0), VKD_ERROR_BAD_OPTION, "sequence_kernel is 9");
    expect("target", create(NULL, 0, 5000, 0), VKD_ERROR_BAD_OPTION, "submit_target_ms is 5,000");
    if (argc > 1) expect("memory limit", create(NULL, 0, 0, 100), VKD_ERROR_TOO_LARGE,
        "100 bytes may be used");
    vkd_context_free(context);
    printf("%d cases, %d failures\n", cases, failures);
    return failures != 0;
}
