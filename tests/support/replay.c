/*
 * Stands in for libFuzzer: gives the target each file of a folder, whole and then with fixed mutations (bytes changed, runs cut out,
 * ends cut off). Usage: TARGET MUTATIONS FOLDER. The same every time.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20, PATH_ROOM = 1024 };

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t mutate(uint8_t *p, size_t n, uint64_t *state)
{
    size_t times = 1 + random_next(state) % 8;

    while (times-- && n) {
        size_t at = random_next(state) % n;

        switch (random_next(state) % 4) {
        case 0: p[at] ^= (uint8_t)(1u << random_next(state) % 8); break;
        case 1: p[at] = (uint8_t)random_next(state); break;
        case 2: n = at; break;
        default: {
            size_t cut = 1 + random_next(state) % 16;

            cut = cut > n - at ? n - at : cut;
            memmove(p + at, p + at + cut, n - at - cut);
            n -= cut;
        }
        }
    }
    return n;
}

static int play(const char *path, unsigned long mutations)
{
    uint8_t *whole = malloc(FILE_MAX), *copy = malloc(FILE_MAX);
    FILE *f = fopen(path, "rb");
    uint64_t state = 0x9e3779b97f4a7c15u;
    size_t n;

    if (!f || !whole || !copy) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(whole);
        free(copy);
        return 1;
    }
    n = fread(whole, 1, FILE_MAX, f);
    fclose(f);
    LLVMFuzzerTestOneInput(whole, n);
    for (unsigned long i = 0; i < mutations; i++) {
        memcpy(copy, whole, n);
        LLVMFuzzerTestOneInput(copy, mutate(copy, n, &state));
    }
    free(whole);
    free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long mutations = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    DIR *dir = argc == 3 ? opendir(argv[2]) : NULL;
    struct dirent *e;
    int bad = 0, files = 0;

    if (!dir) {
        fprintf(stderr, "usage: %s MUTATIONS FOLDER\n", argv[0]);
        return 2;
    }
    while ((e = readdir(dir)) != NULL) {
        char path[PATH_ROOM];

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[2], e->d_name);
        bad |= play(path, mutations);
        files++;
    }
    closedir(dir);
    printf("%d files, %lu mutations each\n", files, mutations);
    return bad || !files;
}
