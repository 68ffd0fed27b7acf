/* lambda_list_json.c - lists of functions and versions, page by page. */
#include "executor/protocol/lambda_list_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "executor/protocol/lambda_function_json.h"
#include "executor/protocol/lambda_name.h"

/* The next items, in order, and one more if there is one. */
struct page {
	struct lambda_item items[LAMBDA_ITEMS_MAX + 1];
	size_t count, max;
};

/* By name, then by version. */
static int lambda_item_compare(const struct lambda_item *a,
			       const struct lambda_item *b)
{
	int order = strcmp(a->function->spec->name, b->function->spec->name);

	return order ? order : strcmp(a->version, b->version);
}

/* Returns whether @item comes after the "NAME:VERSION" of a marker. */
static bool is_behind(const struct lambda_item *item, const char *marker)
{
	const char *name = item->function->spec->name;
	size_t length = strcspn(marker, ":");
	int order = strncmp(name, marker, length);

	if (!order && strlen(name) > length)
		order = 1;
	if (!order)
		order = strcmp(item->version,
			       marker + length + (marker[length] == ':'));
	return order > 0;
}

/* Inserts @item in order, if its place is on the page. */
static void add_item(struct page *page, const struct lambda_item *item)
{
	size_t at = page->count;

	if (at == page->max &&
	    lambda_item_compare(item, &page->items[--at]) > 0)
		return;
	if (page->count < page->max)
		page->count++;
	for (; at && lambda_item_compare(item, &page->items[at - 1]) < 0; at--)
		page->items[at] = page->items[at - 1];
	page->items[at] = *item;
}

static void add_function(struct page *page, const struct lambda_call *call,
			 const struct function_view *function)
{
	static const char *const versions[] = { LAMBDA_LATEST, LAMBDA_VERSION };
	bool all = call->operation == LAMBDA_LIST_VERSIONS ||
		   call->all_versions;

	for (size_t i = 0; i < (all ? 2 : 1); i++) {
		const struct lambda_item item = { function, versions[i], all };

		if (is_behind(&item, call->marker))
			add_item(page, &item);
	}
}

/*
 * A page begins after the last item of the page before, in the order of names, not
 * of positions, so that it still does after a reload. Base64 tells clients that the
 * marker is none of their business.
 */
static void put_marker(struct json_output *object,
		       const struct lambda_item *last)
{
	char marker[sizeof(((struct lambda_call *)0)->marker)];
	int size = snprintf(marker, sizeof(marker), "%s:%s",
			    last->function->spec->name, last->version);

	json_put_base64(object, "NextMarker", marker, (size_t)size);
}

static struct json_output page_json(const struct server_view *view,
				    const struct lambda_call *call,
				    const struct page *page)
{
	const bool is_of_versions = call->operation == LAMBDA_LIST_VERSIONS;
	struct json_output object = json_output_make();
	json_t *list = json_array();

	for (size_t i = 0; i < page->count && i < call->max_items; i++)
		if (json_array_append_new(
			    list, json_output_take(lambda_configuration_json(
					  view, &page->items[i]))))
			object.failed = true;
	json_put(&object, is_of_versions ? "Versions" : "Functions", list);
	if (page->count > call->max_items)
		put_marker(&object, &page->items[call->max_items - 1]);
	return object;
}

struct json_output lambda_functions_json(const struct server_view *view,
					 const struct lambda_call *call)
{
	struct page page = { .max = call->max_items + 1 };

	for (size_t i = 0; i < view->count; i++)
		add_function(&page, call, &view->functions[i]);
	return page_json(view, call, &page);
}

struct json_output lambda_versions_json(const struct server_view *view,
					const struct lambda_call *call,
					const struct function_view *function)
{
	struct page page = { .max = call->max_items + 1 };

	add_function(&page, call, function);
	return page_json(view, call, &page);
}
