/* Eight threads, a Lua state each, all reading one file of results: `workers LUA_FOLDER FILE
 * COUNT LENGTH`. Each loads the module, opens the file and reads every row; the odd ones also
 * run a job of their own. States are closed while others still read. Prints the bytes of memory
 * of its own that the process gained while all eight had the file open. */
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 8 };

static const char *folder, *path;
static double expected;
static pthread_barrier_t all_have_read, all_may_go_on;

static const char script[] =
    "local folder, path, number = ...\n"
    "package.path = folder .. '/?.lua;' .. package.path\n"
    "local vkd = require('vkd')\n"
    "local results = assert(vkd.open(path))\n"
    "function read()\n"
    "  local sum = 0\n"
    "  for i = 1, results.count do\n"
    "    local row = results:pointer(i)\n"
    "    for k = 0, results.length - 1 do sum = sum + row[k] end\n"
    "  end\n"
    "  return sum\n"
    "end\n"
    "function compute()\n"
    "  local numbers = {}\n"
    "  for i = 1, 600 do numbers[i] = math.sin(i * number) + 0.1 end\n"
    "  local job = assert(vkd.start(numbers, 200, { device = 'cpu' }))\n"
    "  assert(job:wait())\n"
    "  local rows = assert(job:result())\n"
    "  assert(rows.count == 200 and rows[200][1] == 200)\n"
    "  return 0\n"
    "end\n";

static double call(lua_State *lua, const char *name) {
    lua_getglobal(lua, name);
    if (lua_pcall(lua, 0, 1, 0)) {
        fprintf(stderr, "%s: %s\n", name, lua_tostring(lua, -1));
        exit(1);
    }
    double result = lua_tonumber(lua, -1);
    lua_pop(lua, 1);
    return result;
}

static void check(double sum) {
    if (sum == expected) return;
    fprintf(stderr, "the rows add up to %.0f instead of %.0f\n", sum, expected);
    exit(1);
}

static void *work(void *argument) {
    intptr_t number = (intptr_t)argument;
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    int failed = luaL_loadstring(lua, script);
    lua_pushstring(lua, folder);
    lua_pushstring(lua, path);
    lua_pushinteger(lua, number);
    if (failed || lua_pcall(lua, 3, 0, 0)) {
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        exit(1);
    }
    check(call(lua, "read"));
    pthread_barrier_wait(&all_have_read);
    pthread_barrier_wait(&all_may_go_on);
    if (number % 2) call(lua, "compute");
    /* They end one after the other: the last ones read while the first are closed. */
    for (intptr_t round = 0; round < number; ++round) check(call(lua, "read"));
    lua_close(lua);
    return NULL;
}

/* A line of /proc/self/status in bytes. */
static double status(const char *name) {
    char line[256];
    double found = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name))) found = atof(line + strlen(name)) * 1024;
    if (file) fclose(file);
    return found;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    folder = argv[1];
    path = argv[2];
    double count = atof(argv[3]), length = atof(argv[4]);
    expected = count * length * (length - 1) / 2;
    pthread_barrier_init(&all_have_read, NULL, WORKERS + 1);
    pthread_barrier_init(&all_may_go_on, NULL, WORKERS + 1);
    pthread_t threads[WORKERS];
    double before = status("RssAnon:");
    for (intptr_t number = 0; number < WORKERS; ++number)
        if (pthread_create(&threads[number], NULL, work, (void *)number)) return 1;
    pthread_barrier_wait(&all_have_read);
    printf("%.0f\n", status("RssAnon:") - before);
    pthread_barrier_wait(&all_may_go_on);
    for (int number = 0; number < WORKERS; ++number) pthread_join(threads[number], NULL);
    return 0;
}
