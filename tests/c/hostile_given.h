/* What the hostile calls are given, a part of hostile.h: a context, embeddings, jobs and files that
 * are right, and paths of every kind. */

static vkd_context *context;
/* Room for f64. */
static double numbers[ITEMS * DIM];
static float *const embeddings = (float *)numbers;
static float queries[2 * DIM];
static uint32_t starts[3];
static uint32_t rows[ITEMS * ITEMS];
static uint32_t indices[ITEMS * K];
static float similarities[ITEMS * K];
static char id_texts[ITEMS][8];
static const char *ids[ITEMS], *metadata[ITEMS];
static vkd_job *sequences_job, *neighbors_job, *similarity_job, *site_job, *file_job, *values_job;
static vkd_sequences_file *sequences_file, *values_file;
static vkd_neighbors_file *neighbors_file;
static vkd_embeddings *embeddings_file, *plain_file;
static char sequences_path[ROOM], neighbors_path[ROOM], site_path[ROOM], values_path[ROOM];
static char export_path[ROOM], merged_path[ROOM];
enum { PARTS = 2 };
static char part_paths[PARTS][ROOM];
static const char *parts[PARTS];
/* What runs with ids write. */
static char ids_path[ROOM];
static char embeddings_path[ROOM];
static float values[ITEMS * ITEMS];

static void fill(void) {
    for (uint32_t i = 0; i < 2 * ITEMS * DIM; ++i)
        embeddings[i] = (float)((i * 7919) % 101) - 50.5f;
    for (uint32_t i = 0; i < 2 * DIM; ++i) queries[i] = (float)i + 1;
    for (uint32_t i = 0; i < 3; ++i) starts[i] = i;
    for (uint32_t i = 0; i < PARTS; ++i) parts[i] = part_paths[i];
    for (uint32_t i = 0; i < ITEMS; ++i) {
        snprintf(id_texts[i], sizeof id_texts[i], "id%u", i);
        ids[i] = id_texts[i];
        metadata[i] = "{\"x\":1}";
        for (uint32_t j = 0; j < K; ++j) {
            indices[i * K + j] = (i + j + 1) % ITEMS;
            similarities[i * K + j] = 0.5f;
        }
        for (uint32_t j = 0; j < ITEMS; ++j) rows[i * ITEMS + j] = (i + j) % ITEMS;
    }
}

static void need(int32_t status) {
    if (status != VKD_OK) {
        printf("%s: the fixtures: %s\n", at_work, vkd_last_error());
        exit(6);
    }
}

static char *in_folder(char *path, const char *name) {
    snprintf(path, ROOM, "%s/%s", folder, name);
    return path;
}

static vkd_job *new_job(void) {
    vkd_job *job = NULL;
    need(vkd_batch_start(context, embeddings, ITEMS, DIM, NULL, &job));
    return job;
}

static vkd_context *new_context(void) {
    vkd_context *made = NULL;
    need(vkd_context_create(NULL, &made));
    return made;
}

static vkd_sequences_file *new_sequences_file(void) {
    vkd_sequences_file *file = NULL;
    need(vkd_sequences_file_open(sequences_path, &file));
    return file;
}

static vkd_neighbors_file *new_neighbors_file(void) {
    vkd_neighbors_file *file = NULL;
    need(vkd_neighbors_file_open(neighbors_path, &file));
    return file;
}

static vkd_embeddings *new_embeddings(void) {
    vkd_embeddings *file = NULL;
    need(vkd_embeddings_open(embeddings_path, NULL, &file));
    return file;
}

/* A path where nothing is. */
static const char *new_path(void) {
    static char path[ROOM];
    remove(in_folder(path, "written"));
    return path;
}

/* Two files of embeddings, the first with ids. */
static void make_embeddings(void) {
    char plain[ROOM];
    FILE *list = fopen(in_folder(embeddings_path, "embeddings"), "wb");
    FILE *lines = fopen(in_folder(plain, "plain"), "wb");
    if (!list || !lines) exit(13);
    fprintf(list, "{\"embeddings\":[");
    for (uint32_t i = 0; i < ITEMS; ++i) {
        fprintf(list, "%s{\"id\":\"id%u\",\"embedding\":[%u,1,-2]}", i ? "," : "", i, i);
        fprintf(lines, "[%u,1,-2]\n", i);
    }
    fprintf(list, "]}");
    if (fclose(list) || fclose(lines)) exit(14);
    embeddings_file = new_embeddings();
    need(vkd_embeddings_open(plain, NULL, &plain_file));
}

static void make_fixtures(void) {
    fill();
    context = new_context();
    vkd_batch_options batch = {.struct_size = sizeof batch};
    in_folder(ids_path, "with ids");
    batch.output_path = in_folder(sequences_path, "sequences");
    batch.ids = ids;
    need(vkd_batch_start(context, embeddings, ITEMS, DIM, &batch, &file_job));
    need(vkd_job_wait(file_job, -1));
    batch.flags = VKD_VALUES;
    batch.ids = NULL;
    batch.output_path = in_folder(values_path, "values");
    need(vkd_batch_compute(context, embeddings, ITEMS, DIM, &batch, NULL));
    need(vkd_sequences_file_open(values_path, &values_file));
    for (uint32_t i = 0; i < PARTS; ++i) {
        batch.output_path = in_folder(part_paths[i], i ? "part 2" : "part 1");
        batch.shard_index = i + 1;
        batch.shard_count = PARTS;
        need(vkd_batch_compute(context, embeddings, ITEMS, DIM, &batch, NULL));
    }
    batch.shard_index = batch.shard_count = 0;
    batch.output_path = NULL;
    need(vkd_batch_start(context, embeddings, ITEMS, DIM, &batch, &values_job));
    need(vkd_job_wait(values_job, -1));
    vkd_neighbors_options search = {.struct_size = sizeof search};
    search.output_path = in_folder(neighbors_path, "neighbors");
    search.ids = ids;
    vkd_job *job = NULL;
    need(vkd_neighbors_start(context, embeddings, ITEMS, DIM, K, &search, &job));
    need(vkd_job_wait(job, -1));
    vkd_job_free(job);
    sequences_job = new_job();
    need(vkd_neighbors_start(context, embeddings, ITEMS, DIM, K, NULL, &neighbors_job));
    need(vkd_similarity_start(context, embeddings, ITEMS, DIM, NULL, &similarity_job));
    vkd_site_options site = {.struct_size = sizeof site, .flags = VKD_NO_SYNC};
    site.directory = in_folder(site_path, "site");
    need(vkd_site_start(context, embeddings, ITEMS, DIM, K, NULL, &site, &site_job));
    vkd_job *const jobs[] = {sequences_job, neighbors_job, similarity_job, site_job};
    for (int i = 0; i < 4; ++i) need(vkd_job_wait(jobs[i], -1));
    in_folder(export_path, "export");
    in_folder(merged_path, "merged");
    make_embeddings();
    sequences_file = new_sequences_file();
    neighbors_file = new_neighbors_file();
}

static void free_fixtures(void) {
    vkd_job *const jobs[] = {sequences_job, neighbors_job, similarity_job, site_job, file_job,
                             values_job};
    for (int i = 0; i < 6; ++i) vkd_job_free(jobs[i]);
    vkd_sequences_file_free(values_file);
    vkd_sequences_file_free(sequences_file);
    vkd_neighbors_file_free(neighbors_file);
    vkd_embeddings_free(embeddings_file);
    vkd_embeddings_free(plain_file);
    vkd_context_free(context);
}

/* Paths of every kind. */

enum role { READ, WRITE, OVER, SITE, RANKINGS, ROLES };

static struct path {
    const char *name, *path;
    /* What opening it as results, writing results there (with overwrite too), a site there and its
     * rankings there may give; NULL: what `usual` says. */
    const int32_t *allowed[ROLES];
    /* What is there, and must stay. */
    struct stat before;
    int is_there;
    /* Only for a user without rights. */
    int needs_nobody;
} paths[60];
static size_t num_paths = 0;

static struct path *add(const char *name, const char *path) {
    struct path *added = &paths[num_paths++];
    added->name = name;
    added->path = strdup(path);
    added->is_there = lstat(path, &added->before) == 0;
    return added;
}

static struct path *add_in_folder(const char *name) {
    char path[ROOM];
    return add(name, in_folder(path, name));
}

static void allow(struct path *path, enum role first, enum role last, const int32_t *allowed) {
    for (int role = first; role <= (int)last; ++role) path->allowed[role] = allowed;
}

static void put(const char *name, const char *bytes, size_t count) {
    char path[ROOM];
    FILE *file = fopen(in_folder(path, name), "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) exit(7);
}

/* A copy of the file of sequences with one bit changed, or cut. */
static void put_damaged(const char *name, size_t flipped, size_t cut) {
    static char bytes[65536];
    FILE *file = fopen(sequences_path, "rb");
    size_t count = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (count <= cut || fclose(file)) exit(8);
    bytes[flipped] ^= 1;
    put(name, bytes, count - cut);
}

static void make_node(const char *name, unsigned minor_number) {
    char path[ROOM];
    /* A node in the private folder; of the machine's own none is touched. */
    if (mknod(in_folder(path, name), S_IFCHR | 0666, makedev(1, minor_number)) == 0) {
        add_in_folder(name);
    } else {
        printf("hostile: no rights for mknod, \"%s\" is left out\n", name);
    }
}

static void make_paths(void) {
    static const int32_t files[] = {VKD_ERROR_FILE, VKD_ERROR_BAD_FILE, END};
    static const int32_t any[] = {VKD_OK, VKD_ERROR_FILE, VKD_ERROR_BAD_FILE, VKD_ERROR_BAD_OPTION,
                                  VKD_ERROR_FILE_MISMATCH, END};
    static const int32_t option[] = {VKD_ERROR_BAD_OPTION, END}, fine[] = {VKD_OK, END};
    char path[ROOM];
    static char huge[9000];
    mkdir(in_folder(path, "folder"), 0777);
    mkfifo(in_folder(path, "fifo"), 0666);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    /* Addresses of sockets are short: relative to the folder. */
    strcpy(address.sun_path, "socket");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) exit(12);
    close(listener);
    if (symlink("loop", in_folder(path, "loop")) || symlink("nowhere", in_folder(path, "dangling"))
        || symlink("fifo", in_folder(path, "link to a fifo"))
        || symlink("folder", in_folder(path, "link to a folder"))) exit(9);
    put("foreign", "of somebody else\n", 17);
    put("nothing", "", 0);
    put("unreadable", "secret\n", 7);
    chmod(in_folder(path, "unreadable"), 0);
    put_damaged("cut", 0, 1);
    put_damaged("damaged head", 0, 0);
    put_damaged("damaged header", 20, 0);
    allow(add("empty", ""), READ, RANKINGS, option);
    allow(add_in_folder("folder"), SITE, SITE, fine);
    allow(add_in_folder("link to a folder"), SITE, SITE, any);
    add_in_folder("fifo");
    add_in_folder("link to a fifo");
    add_in_folder("socket");
    make_node("null", 3);
    make_node("zero", 5);
    add_in_folder("loop");
    allow(add_in_folder("dangling"), WRITE, RANKINGS, any);
    allow(add_in_folder("foreign"), OVER, OVER, any);
    allow(add_in_folder("nothing"), OVER, OVER, any);
    allow(add_in_folder("unreadable"), OVER, OVER, any);
    paths[num_paths - 1].needs_nobody = 1;
    allow(add_in_folder("cut"), OVER, OVER, any);
    allow(add_in_folder("damaged head"), OVER, OVER, any);
    allow(add_in_folder("damaged header"), OVER, OVER, any);
    allow(add_in_folder("no \xff\xfe UTF-8"), WRITE, RANKINGS, fine);
    allow(add_in_folder("missing/folder/file"), SITE, SITE, any);
    allow(add_in_folder("folder/."), SITE, SITE, fine);
    add_in_folder("folder/..");
    allow(&paths[num_paths - 1], SITE, SITE, fine);
    allow(add_in_folder("new/"), SITE, SITE, fine);
    add_in_folder("foreign/");
    add_in_folder("foreign/file");
    allow(add("root", "/"), SITE, SITE, NULL);
    memset(huge, 'n', 300);
    add_in_folder(huge);
    paths[num_paths - 1].name = "long component";
    snprintf(huge, sizeof huge, "%s", folder);
    while (strlen(huge) < 8000) strcat(huge, "/abcdefgh");
    add("long path", huge);
    /* Of the system: only read. */
    for (int i = 0; i < 2; ++i) {
        struct path *kept = add(i ? "proc status" : "proc folder", i ? "/proc/self/status"
            : "/proc/self");
        for (int role = WRITE; role < ROLES; ++role) kept->allowed[role] = NULL;
    }
    for (size_t i = 0; i < num_paths; ++i)
        if (!paths[i].allowed[READ]) paths[i].allowed[READ] = files;
}

static const int32_t usual[] = {VKD_ERROR_FILE, VKD_ERROR_BAD_FILE, VKD_ERROR_FILE_MISMATCH,
                                VKD_ERROR_BAD_OPTION, END};

/* Whether a path of this role is part of the test; becomes the user without rights for those that
 * need it. */
static int begins_path(const struct path *path, enum role role) {
    /* Nothing of the system is written to. */
    if (role != READ && strncmp(path->path, folder, strlen(folder)) != 0 && *path->path) return 0;
    if (path->needs_nobody && geteuid() == 0) {
        if (role != READ) return 0;
        if (seteuid(65534) != 0) return 0;
    }
    return 1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void ends_path(struct path *path) {
    if (getuid() == 0 && geteuid() != 0 && seteuid(0) != 0) exit(10);
    /* What was made, so that the next finds nothing there. */
    static const char *const made[] = {"missing", "new", "nowhere", "no \xff\xfe UTF-8"};
    char name[ROOM];
    for (int i = 0; i < 4; ++i) nftw(in_folder(name, made[i]), remove_one, 8, FTW_DEPTH | FTW_PHYS);
    struct stat now;
    if (!path->is_there) return;
    int same = lstat(path->path, &now) == 0 && now.st_ino == path->before.st_ino
        && now.st_mode == path->before.st_mode;
    if (same && S_ISREG(now.st_mode)) same = now.st_size == path->before.st_size;
    int replaceable = S_ISREG(path->before.st_mode) && strstr(at_work, "overwrite");
    if (!same) path->is_there = lstat(path->path, &path->before) == 0;
    if (!same && !replaceable) say("what was there was replaced");
}
