-- Generated from include/vkd.h. Do not edit: run `make header`.
-- luacheck: ignore
return [[
typedef enum vkd_status {
  VKD_OK = 0,
  VKD_PENDING = 1,
  VKD_ERROR_NULL_POINTER = -1,
  VKD_ERROR_ZERO_SIZE = -2,
  VKD_ERROR_STRUCT_SIZE = -3,
  VKD_ERROR_NEWER_STRUCT = -4,
  VKD_ERROR_UNKNOWN_FLAGS = -5,
  VKD_ERROR_BAD_OPTION = -6,
  VKD_ERROR_START_OUT_OF_RANGE = -7,
  VKD_ERROR_LENGTH_OUT_OF_RANGE = -8,
  VKD_ERROR_DIM_TOO_LARGE = -9,
  VKD_ERROR_SHAPE_MISMATCH = -10,
  VKD_ERROR_OUTPUT_TOO_SMALL = -11,
  VKD_ERROR_TOO_MANY_NEIGHBORS = -12,
  VKD_ERROR_QUERY_DIM = -13,
  VKD_ERROR_BAD_HEADS = -14,
  VKD_ERROR_NO_SUCH_ID = -15,
  VKD_ERROR_NOT_FINITE = -101,
  VKD_ERROR_ZERO_NORM = -102,
  VKD_ERROR_ZERO_NORM_CENTERED = -103,
  VKD_ERROR_NORM_RANGE = -104,
  VKD_ERROR_BAD_EMBEDDINGS = -105,
  VKD_ERROR_TOO_LARGE = -201,
  VKD_ERROR_HOST_MEMORY = -202,
  VKD_ERROR_DEVICE_MEMORY = -203,
  VKD_ERROR_DRIVER_MEMORY = -204,
  VKD_ERROR_NO_THREAD = -205,
  VKD_ERROR_NO_LOADER = -301,
  VKD_ERROR_NO_DEVICE = -302,
  VKD_ERROR_DEVICE_NOT_FOUND = -303,
  VKD_ERROR_UNSUPPORTED = -304,
  VKD_ERROR_DEVICE_LOST = -305,
  VKD_ERROR_DRIVER = -306,
  VKD_ERROR_VALIDATION = -307,
  VKD_ERROR_CANCELLED = -401,
  VKD_ERROR_NOT_FINISHED = -402,
  VKD_ERROR_WRONG_JOB_KIND = -403,
  VKD_ERROR_OTHER_PROCESS = -404,
  VKD_ERROR_FILE = -501,
  VKD_ERROR_DISK_FULL = -502,
  VKD_ERROR_BAD_FILE = -503,
  VKD_ERROR_FILE_MISMATCH = -504,
  VKD_ERROR_FILE_BUSY = -505,
  VKD_ERROR_RESULT_IN_FILE = -506,
  VKD_ERROR_BAD_ID = -507,
  VKD_ERROR_BAD_METADATA = -508,
  VKD_ERROR_INTERNAL = -901,
} vkd_status;
typedef enum vkd_element_type {
  VKD_F32 = 0,
  VKD_F16 = 1,
  VKD_F64 = 2,
} vkd_element_type;
typedef enum vkd_flags {
  VKD_CENTER = 1,
  VKD_OVERWRITE = 2,
  VKD_UPPER_TRIANGLE = 4,
  VKD_NO_SYNC = 8,
  VKD_NO_PIPELINE_CACHE = 16,
  VKD_VALUES = 32,
  VKD_LAMBDA = 64,
  VKD_ZERO_ROWS = 128,
  VKD_IDS = 256,
} vkd_flags;
typedef enum vkd_rule {
  VKD_RULE_CENTROID = 0,
  VKD_RULE_FARTHEST = 1,
  VKD_RULE_MMR = 2,
  VKD_RULE_CHAIN = 3,
} vkd_rule;
typedef enum vkd_row_values {
  VKD_ROWS_NONE = 0,
  VKD_ROWS_CONTRIBUTIONS = 1,
  VKD_ROWS_SIMILARITIES = 2,
} vkd_row_values;
typedef enum vkd_device_kind {
  VKD_DEVICE_DISCRETE_GPU = 0,
  VKD_DEVICE_INTEGRATED_GPU = 1,
  VKD_DEVICE_VIRTUAL_GPU = 2,
  VKD_DEVICE_CPU = 3,
  VKD_DEVICE_SOFTWARE_VULKAN = 4,
  VKD_DEVICE_OTHER_VULKAN = 5,
  VKD_DEVICE_REFERENCE = 6,
  VKD_DEVICE_SEVERAL = 7,
} vkd_device_kind;
typedef enum vkd_sequence_kernel {
  VKD_KERNEL_AUTO = 0,
  VKD_KERNEL_BUFFER = 1,
  VKD_KERNEL_REGISTERS = 2,
} vkd_sequence_kernel;
typedef enum vkd_job_state {
  VKD_JOB_RUNNING = 0,
  VKD_JOB_DONE = 1,
  VKD_JOB_FAILED = 2,
} vkd_job_state;
typedef enum vkd_results_kind {
  VKD_RESULTS_SEQUENCES = 1,
  VKD_RESULTS_NEIGHBORS = 2,
} vkd_results_kind;
typedef enum vkd_export_format {
  VKD_EXPORT_DIVERSITY_CACHE = 1,
  VKD_EXPORT_RANKINGS = 2,
  VKD_EXPORT_SEQUENCES_BIN = 3,
} vkd_export_format;
typedef enum vkd_export_keys {
  VKD_KEYS_INDEX = 0,
  VKD_KEYS_ID = 1,
} vkd_export_keys;
typedef enum vkd_embeddings_format {
  VKD_FORMAT_SAFETENSORS = 0,
  VKD_FORMAT_NPY = 1,
} vkd_embeddings_format;
typedef struct Bytes Bytes;
typedef struct vkd_context vkd_context;
typedef struct vkd_embeddings vkd_embeddings;
typedef struct vkd_job vkd_job;
typedef struct vkd_neighbors_file vkd_neighbors_file;
typedef struct vkd_sequences_file vkd_sequences_file;
typedef struct vkd_batch_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t element_type;
  uint32_t length;
  const uint32_t *starts;
  uint32_t num_starts;
  uint32_t reserved;
  const char *output_path;
  uint32_t rule;
  uint32_t head_length;
  const uint32_t *heads;
  double lambda;
  float *out_values;
  uint32_t num_heads;
  uint32_t reserved_2;
  const char *const *ids;
  const struct vkd_embeddings *ids_of;
  uint32_t shard_index;
  uint32_t shard_count;
} vkd_batch_options;
typedef struct vkd_run_plan {
  uint32_t struct_size;
  uint32_t row_values;
  uint64_t host_bytes;
  uint64_t device_bytes;
  uint64_t output_bytes;
  uint64_t corpus_bytes;
  uint64_t groups;
  uint64_t dispatches;
  uint64_t rows;
  uint64_t steps;
  uint64_t held_rows;
  uint64_t multiply_adds;
  uint32_t row_source;
  uint32_t reserved;
} vkd_run_plan;
typedef struct vkd_device_info {
  uint32_t struct_size;
  uint32_t kind;
  char name[256];
  char driver[512];
  uint8_t uuid[16];
  uint64_t memory_bytes;
  uint64_t max_binding_bytes;
  uint32_t subgroup_size;
  uint32_t loop_budget;
  char passed_over[512];
} vkd_device_info;
typedef struct vkd_context_options {
  uint32_t struct_size;
  uint32_t flags;
  const char *device;
  uint64_t memory_limit;
  uint32_t sequence_kernel;
  uint32_t submit_target_ms;
  uint32_t threads;
} vkd_context_options;
typedef struct vkd_embeddings_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t element_type;
  uint32_t dim;
  const char *array;
  const char *id_key;
  const char *embedding_key;
  const char *list_key;
  const char *ids_path;
} vkd_embeddings_options;
typedef struct vkd_embeddings_info {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t num_items;
  uint32_t dim;
  uint32_t element_type;
  uint32_t reserved;
} vkd_embeddings_info;
typedef struct vkd_site_source {
  uint32_t struct_size;
  uint32_t num_items;
  uint32_t num_rows;
  uint32_t row_length;
  const char *path;
  const uint32_t *sequences;
  const uint32_t *indices;
  const float *similarities;
  const struct vkd_sequences_file *sequences_file;
  const struct vkd_neighbors_file *neighbors_file;
  uint32_t rule;
  uint32_t reserved;
} vkd_site_source;
typedef struct vkd_export_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t format;
  uint32_t keys;
  const char *path;
  const char *const *ids;
  const uint32_t *numbers;
  uint32_t num_items;
  uint32_t top;
  const char *model;
} vkd_export_options;
typedef struct vkd_job_progress {
  uint32_t struct_size;
  uint32_t state;
  uint64_t rows_done;
  uint64_t rows_total;
  uint64_t steps_done;
  uint64_t steps_total;
  uint64_t bytes_read;
  double seconds;
  double seconds_left;
  double prepare_seconds;
  double upload_seconds;
  double matrix_seconds;
  double steps_seconds;
  double download_seconds;
  uint64_t files_done;
  uint64_t files_total;
  uint64_t bytes_written;
  uint64_t rows_written;
} vkd_job_progress;
typedef struct vkd_merge_options {
  uint32_t struct_size;
  uint32_t flags;
  const char *path;
} vkd_merge_options;
typedef struct vkd_neighbors_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t element_type;
  uint32_t num_queries;
  const float *queries;
  const char *output_path;
  const char *const *ids;
  const struct vkd_embeddings *ids_of;
} vkd_neighbors_options;
typedef struct vkd_neighbors_file_info {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t count;
  uint32_t k;
  uint32_t num_items;
  uint32_t item_bytes;
  char fingerprint[40];
  char queries_fingerprint[40];
  char version[24];
} vkd_neighbors_file_info;
typedef struct vkd_check_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t element_type;
  uint32_t reserved;
  const char *const *ids;
  const struct vkd_embeddings *ids_of;
} vkd_check_options;
typedef struct vkd_sequences_file_info {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t count;
  uint32_t length;
  uint32_t num_items;
  uint32_t item_bytes;
  char fingerprint[40];
  char version[24];
  uint32_t rule;
  uint32_t head_length;
  double lambda;
  uint32_t shard_index;
  uint32_t shard_count;
  uint32_t whole_count;
  uint32_t reserved;
} vkd_sequences_file_info;
typedef struct vkd_verify_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t element_type;
  uint32_t num_sequences;
  uint32_t num_picks;
} vkd_verify_options;
typedef struct vkd_verify_report {
  uint32_t struct_size;
  uint32_t sequences_checked;
  uint64_t picks_checked;
  double worst_regret;
  double mean_regret;
  uint32_t worst_sequence;
  uint32_t worst_pick;
} vkd_verify_report;
typedef struct vkd_similarity_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t element_type;
  uint32_t reserved;
} vkd_similarity_options;
typedef struct vkd_site_options {
  uint32_t struct_size;
  uint32_t flags;
  uint32_t top;
  uint32_t threads;
  const char *directory;
  const char *rankings_path;
  const char *const *ids;
  const char *const *metadata;
  uint32_t num_items;
  uint32_t reserved;
  const char *list;
} vkd_site_options;
int32_t vkd_batch_compute(const struct vkd_context *context,
                          const float *embeddings,
                          uint32_t num_items,
                          uint32_t dim,
                          const struct vkd_batch_options *options,
                          uint32_t *out_sequences);
int32_t vkd_batch_start(const struct vkd_context *context,
                        const float *embeddings,
                        uint32_t num_items,
                        uint32_t dim,
                        const struct vkd_batch_options *options,
                        struct vkd_job **out_job);
int32_t vkd_batch_plan(const struct vkd_context *context,
                       uint32_t num_items,
                       uint32_t dim,
                       const struct vkd_batch_options *options,
                       struct vkd_run_plan *out_plan);
const char *vkd_last_error(void);
uint32_t vkd_version(void);
const char *vkd_version_string(void);
int32_t vkd_device_count(uint32_t *out_count);
int32_t vkd_device_get_info(uint32_t index, struct vkd_device_info *out_info);
int32_t vkd_context_create(const struct vkd_context_options *options,
                           struct vkd_context **out_context);
void vkd_context_free(struct vkd_context *context);
int32_t vkd_context_get_info(const struct vkd_context *context, struct vkd_device_info *out_info);
int32_t vkd_embeddings_open(const char *path,
                            const struct vkd_embeddings_options *options,
                            struct vkd_embeddings **out_embeddings);
void vkd_embeddings_free(struct vkd_embeddings *embeddings);
int32_t vkd_embeddings_get_info(const struct vkd_embeddings *embeddings,
                                struct vkd_embeddings_info *out_info);
int32_t vkd_embeddings_data(const struct vkd_embeddings *embeddings, const void **out_data);
int32_t vkd_embeddings_id(const struct vkd_embeddings *embeddings,
                          uint32_t item,
                          const char **out_text,
                          uint64_t *out_bytes);
int32_t vkd_embeddings_find(const struct vkd_embeddings *embeddings,
                            const char *id,
                            uint32_t *out_item);
int32_t vkd_embeddings_write(const struct vkd_embeddings *embeddings,
                             const char *path,
                             uint32_t format,
                             uint32_t flags);
int32_t vkd_export_write(const struct vkd_site_source *source,
                         const struct vkd_export_options *export_options);
int32_t vkd_export_write_start(const struct vkd_site_source *source,
                               const struct vkd_export_options *export_options,
                               struct vkd_job **out_job);
int32_t vkd_job_poll(const struct vkd_job *job, struct vkd_job_progress *out_progress);
int32_t vkd_job_wait(const struct vkd_job *job, int64_t timeout_ms);
int32_t vkd_job_sequences(const struct vkd_job *job, uint64_t capacity, uint32_t *out_sequences);
int32_t vkd_job_values(const struct vkd_job *job, uint64_t capacity, float *out_values);
void vkd_job_cancel(const struct vkd_job *job);
void vkd_job_free(struct vkd_job *job);
int32_t vkd_merge_write(const char *const *parts,
                        uint32_t num_parts,
                        const struct vkd_merge_options *merge_options);
int32_t vkd_merge_write_start(const char *const *parts,
                              uint32_t num_parts,
                              const struct vkd_merge_options *merge_options,
                              struct vkd_job **out_job);
int32_t vkd_neighbors_compute(const struct vkd_context *context,
                              const float *embeddings,
                              uint32_t num_items,
                              uint32_t dim,
                              uint32_t k,
                              const struct vkd_neighbors_options *options,
                              uint32_t *out_indices,
                              float *out_similarities);
int32_t vkd_neighbors_start(const struct vkd_context *context,
                            const float *embeddings,
                            uint32_t num_items,
                            uint32_t dim,
                            uint32_t k,
                            const struct vkd_neighbors_options *options,
                            struct vkd_job **out_job);
int32_t vkd_neighbors_plan(const struct vkd_context *context,
                           uint32_t num_items,
                           uint32_t dim,
                           uint32_t k,
                           const struct vkd_neighbors_options *options,
                           struct vkd_run_plan *out_plan);
int32_t vkd_job_neighbors(const struct vkd_job *job,
                          uint64_t capacity,
                          uint32_t *out_indices,
                          float *out_similarities);
int32_t vkd_neighbors_file_open(const char *path, struct vkd_neighbors_file **out_file);
void vkd_neighbors_file_free(struct vkd_neighbors_file *file);
int32_t vkd_neighbors_file_get_info(const struct vkd_neighbors_file *file,
                                    struct vkd_neighbors_file_info *out_info);
int32_t vkd_neighbors_file_row(const struct vkd_neighbors_file *file,
                               uint32_t index,
                               const void **out_indices,
                               const float **out_similarities);
int32_t vkd_neighbors_file_id(const struct vkd_neighbors_file *file,
                              uint32_t item,
                              const char **out_text,
                              uint64_t *out_bytes);
int32_t vkd_neighbors_file_find_id(const struct vkd_neighbors_file *file,
                                   const char *id,
                                   uint32_t *out_item);
int32_t vkd_neighbors_file_check(const struct vkd_neighbors_file *file,
                                 const float *embeddings,
                                 uint32_t num_items,
                                 uint32_t dim,
                                 const struct vkd_check_options *options);
int32_t vkd_neighbors_file_verify(const struct vkd_neighbors_file *file);
int32_t vkd_results_identify(const char *path, uint32_t *out_kind);
int32_t vkd_sequences_file_open(const char *path, struct vkd_sequences_file **out_file);
void vkd_sequences_file_free(struct vkd_sequences_file *file);
int32_t vkd_sequences_file_get_info(const struct vkd_sequences_file *file,
                                    struct vkd_sequences_file_info *out_info);
int32_t vkd_sequences_file_row(const struct vkd_sequences_file *file,
                               uint32_t index,
                               const void **out_row);
int32_t vkd_sequences_file_values(const struct vkd_sequences_file *file,
                                  uint32_t index,
                                  const float **out_values);
int32_t vkd_sequences_file_copy_row(const struct vkd_sequences_file *file,
                                    uint32_t index,
                                    uint32_t first,
                                    uint32_t count,
                                    uint32_t *out_items);
int32_t vkd_sequences_file_find(const struct vkd_sequences_file *file,
                                uint32_t start,
                                uint32_t *out_index);
int32_t vkd_sequences_file_id(const struct vkd_sequences_file *file,
                              uint32_t item,
                              const char **out_text,
                              uint64_t *out_bytes);
int32_t vkd_sequences_file_find_id(const struct vkd_sequences_file *file,
                                   const char *id,
                                   uint32_t *out_item);
int32_t vkd_sequences_file_check(const struct vkd_sequences_file *file,
                                 const float *embeddings,
                                 uint32_t num_items,
                                 uint32_t dim,
                                 const struct vkd_check_options *options);
int32_t vkd_sequences_file_verify(const struct vkd_sequences_file *file);
int32_t vkd_sequences_file_verify_against(const struct vkd_sequences_file *file,
                                          const float *embeddings,
                                          uint32_t num_items,
                                          uint32_t dim,
                                          const struct vkd_verify_options *options,
                                          struct vkd_verify_report *out_report);
int32_t vkd_similarity_compute(const struct vkd_context *context,
                               const float *embeddings,
                               uint32_t num_items,
                               uint32_t dim,
                               const struct vkd_similarity_options *options,
                               float *out_similarities);
int32_t vkd_similarity_start(const struct vkd_context *context,
                             const float *embeddings,
                             uint32_t num_items,
                             uint32_t dim,
                             const struct vkd_similarity_options *options,
                             struct vkd_job **out_job);
int32_t vkd_similarity_plan(const struct vkd_context *context,
                            uint32_t num_items,
                            uint32_t dim,
                            const struct vkd_similarity_options *options,
                            struct vkd_run_plan *out_plan);
int32_t vkd_job_similarity(const struct vkd_job *job, uint64_t capacity, float *out_similarities);
int32_t vkd_site_compute(const struct vkd_context *context,
                         const float *embeddings,
                         uint32_t num_items,
                         uint32_t dim,
                         uint32_t k,
                         const struct vkd_neighbors_options *neighbors_options,
                         const struct vkd_site_options *site_options);
int32_t vkd_site_start(const struct vkd_context *context,
                       const float *embeddings,
                       uint32_t num_items,
                       uint32_t dim,
                       uint32_t k,
                       const struct vkd_neighbors_options *neighbors_options,
                       const struct vkd_site_options *site_options,
                       struct vkd_job **out_job);
int32_t vkd_site_plan(const struct vkd_context *context,
                      uint32_t num_items,
                      uint32_t dim,
                      uint32_t k,
                      const struct vkd_neighbors_options *neighbors_options,
                      const struct vkd_site_options *site_options,
                      struct vkd_run_plan *out_plan);
int32_t vkd_site_write(const struct vkd_site_source *source,
                       const struct vkd_site_options *site_options);
int32_t vkd_site_write_start(const struct vkd_site_source *source,
                             const struct vkd_site_options *site_options,
                             struct vkd_job **out_job);
const char *vkd_status_name(int32_t status);
]]
