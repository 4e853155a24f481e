/* The groups of one rule: a bounded table. */
#include <stdlib.h>
#include <string.h>

#include "rule/eval_private.h"

enum { KEY_VALUE = 200 };

struct run *run_new(void)
{
    struct run *run = calloc(1, sizeof *run);

    if (!run)
        return NULL;
    pool_init(&run->groups, sizeof(struct group), GROUPS_PER_RULE);
    run->idle = run->firing = (struct group_list){ POOL_NONE, POOL_NONE };
    return run;
}

static struct group *group_at(const struct run *run, uint32_t slot)
{
    return slot == POOL_NONE ? NULL : pool_at(&run->groups, slot);
}

static void incident_free(struct run *run, struct group *g)
{
    if (!g->incident)
        return;
    arena_done(&g->incident->arena);
    free(g->incident);
    g->incident = NULL;
    run->incidents--;
}

static void group_free(struct run *run, struct group *g)
{
    incident_free(run, g);
    free(g->key);
    free(g->times);
    free(g->share);
}

static void free_list(struct run *run, struct group_list *l)
{
    for (struct group *g = group_at(run, l->newest); g; g = group_at(run, g->older))
        group_free(run, g);
}

void run_free(struct run *run)
{
    if (!run)
        return;
    free_list(run, &run->idle);
    free_list(run, &run->firing);
    pool_done(&run->groups);
    hmap_done(&run->by_key);
    free(run);
}

/* ---- keys ---- */

struct strbuf group_key(const struct rule *rule, const cJSON *event)
{
    struct strbuf key = { 0 }, value = { 0 };

    strbuf_add(&key, "");
    for (size_t i = 0; i < rule->group_n; i++) {
        strbuf_clear(&value);
        value_text(path_first(&rule->group[i], event), &value);
        strbuf_add(&key, "\x1f");
        put_safe(&key, strbuf_str(&value), KEY_VALUE);
        key.failed |= value.failed;
    }
    strbuf_done(&value);
    return key;
}

static bool key_eq(const void *self, uint32_t slot, const void *key)
{
    return strcmp(((const struct group *)pool_at(&((const struct run *)self)->groups, slot))->key, key) == 0;
}

struct group *group_find(const struct run *run, const char *key)
{
    uint32_t slot = hmap_find(&run->by_key, hash_bytes(key, strlen(key)), key_eq, run, key);

    return slot == HMAP_NONE ? NULL : pool_at(&run->groups, slot);
}

/* ---- lists ---- */

static struct group_list *list_of(struct run *run, const struct group *g)
{
    return g->incident ? &run->firing : &run->idle;
}

static void list_out(struct run *run, struct group_list *l, struct group *g)
{
    struct group *newer = group_at(run, g->newer), *older = group_at(run, g->older);

    *(newer ? &newer->older : &l->newest) = g->older;
    *(older ? &older->newer : &l->oldest) = g->newer;
}

static void list_in(struct run *run, struct group_list *l, struct group *g)
{
    struct group *newest = group_at(run, l->newest);

    g->newer = POOL_NONE;
    g->older = l->newest;
    *(newest ? &newest->newer : &l->oldest) = g->slot;
    l->newest = g->slot;
}

void group_met(struct run *run, struct group *g)
{
    list_out(run, list_of(run, g), g);
    list_in(run, list_of(run, g), g);
}

bool group_fire(struct run *run, struct group *g)
{
    struct incident *i = calloc(1, sizeof *i);

    if (!i)
        return false;
    list_out(run, &run->idle, g);
    g->incident = i;
    run->incidents++;
    list_in(run, &run->firing, g);
    return true;
}

void group_calm(struct run *run, struct group *g)
{
    list_out(run, &run->firing, g);
    incident_free(run, g);
    g->times_n = 0;
    if (g->share)
        *g->share = (struct share){ 0 };
    list_in(run, &run->idle, g);
}

/* ---- room ---- */

static void give_up_oldest(struct rules *r, struct run *run)
{
    struct group_list *l = run->idle.oldest != POOL_NONE ? &run->idle : &run->firing;
    struct group *g = group_at(run, l->oldest);

    if (!g)
        return;
    r->counts.evicted++;
    r->counts.evicted_firing += g->incident != NULL;
    hmap_del(&run->by_key, g->hash, g->slot);
    list_out(run, l, g);
    group_free(run, g);
    pool_free(&run->groups, g->slot);
}

static bool group_room(struct group *g, const struct rule *rule, const char *key)
{
    size_t n = strlen(key) + 1;

    g->key = malloc(n);
    g->times = rule->count > 1 ? calloc(rule->count, sizeof *g->times) : NULL;
    g->share = rule->percent > 0 ? calloc(1, sizeof *g->share) : NULL;
    if (!g->key || (rule->count > 1 && !g->times) || (rule->percent > 0 && !g->share))
        return false;
    memcpy(g->key, key, n);
    return true;
}

struct group *group_new(struct rules *r, const struct rule *rule, struct run *run, const char *key)
{
    struct group *g;
    uint32_t slot;

    if (run->groups.live == GROUPS_PER_RULE)
        give_up_oldest(r, run);
    g = pool_new(&run->groups, &slot);
    if (!g)
        return NULL;
    g->slot = slot;
    g->hash = hash_bytes(key, strlen(key));
    if (!group_room(g, rule, key) || !hmap_put(&run->by_key, g->hash, slot)) {
        group_free(run, g);
        pool_free(&run->groups, slot);
        return NULL;
    }
    list_in(run, &run->idle, g);
    return g;
}
