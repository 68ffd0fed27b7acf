/*
 * catalog.c - the catalog as a whole: file, document, list of functions. Runs
 * on the thread that starts or reloads. The keys of a function are in
 * catalog_fields.c.
 */
#include "executor/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hot.h"
#include "base/json_reader.h"
#include "base/similar.h"
#include "executor/catalog_base.h"
#include "executor/catalog_fields.h"
#include "executor/catalog_host_fields.h"
#include "executor/catalog_image.h"
#include "executor/catalog_whole.h"
#include "executor/limits.h"

#define CATALOG_VERSION 1

/* Members of the document that are read after the others. */
struct document {
	json_t *defaults;
	json_t *functions;
};

static int read_schema(const struct json_place *place, json_t *value,
		       const struct json_field *field, void *target)
{
	(void)field;
	(void)target;
	if (!json_is_string(value))
		return json_reader_refuse(
			place, "not a string: write the schema's path or URL");
	return 0;
}

static int read_version(const struct json_place *place, json_t *value,
			const struct json_field *field, void *target)
{
	(void)field;
	(void)target;
	if (!json_is_integer(value) ||
	    json_integer_value(value) != CATALOG_VERSION)
		return json_reader_refuse(
			place,
			"%s is not a version of catalogs: accepted is %d",
			json_reader_quote(value, (char[JSON_QUOTE_MAX]){ 0 }),
			CATALOG_VERSION);
	return 0;
}

static int keep_value(const struct json_place *place, json_t *value,
		      const struct json_field *field, void *target)
{
	(void)place;
	*(json_t **)((char *)target + field->offset) = value;
	return 0;
}

static const struct json_field document_fields[] = {
	{ .key = "$schema", .read = read_schema },
	{ .key = "version", .read = read_version },
	{ .key = "defaults",
	  .read = keep_value,
	  .offset = offsetof(struct document, defaults) },
	{ .key = "functions",
	  .read = keep_value,
	  .offset = offsetof(struct document, functions),
	  .required = true },
	{ .key = NULL },
};

/* Makes *@path, unless it is absolute, relative to the directory of @catalog_path. */
static int resolve_path(const struct json_place *place,
			const char *catalog_path, char **path)
{
	const char *slash = strrchr(catalog_path, '/');
	int directory = slash ? slash + 1 - catalog_path : 0;
	char *resolved;

	if (**path == '/')
		return 0;
	if (asprintf(&resolved, "%.*s%s", directory, catalog_path, *path) < 0)
		return json_reader_no_memory(place);
	free(*path);
	*path = resolved;
	return 0;
}

/* The path of a program is one in its root, if it has one. */
static int resolve_in_root(const struct json_place *place,
			   const char *catalog_path,
			   struct catalog_function *function)
{
	char *resolved;
	int r = resolve_path(place, catalog_path, &function->root);

	if (r)
		return r;
	if (*function->image != '/')
		return json_reader_refuse(place,
					  "%s is relative, and there is a "
					  "root: write its path in the root",
					  function->image);
	if (asprintf(&resolved, "%s%s", function->root, function->image) < 0)
		return json_reader_no_memory(place);
	free(function->image);
	function->image = resolved;
	return 0;
}

static int resolve_image(const struct json_place *place,
			 const char *catalog_path,
			 struct catalog_function *function)
{
	return function->root ?
		       resolve_in_root(place, catalog_path, function) :
		       resolve_path(place, catalog_path, &function->image);
}

static int check_image(const struct json_place *place, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return json_reader_refuse(place, "%s: %s", strerror(errno),
					  path);
	if (!S_ISREG(status.st_mode))
		return json_reader_refuse(place, "not a regular file: %s",
					  path);
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		return json_reader_refuse(place, "cannot be read: %s: %s",
					  strerror(errno), path);
	return 0;
}

/* A catalog that is being read. */
struct reading {
	const struct catalog_check *check; /* NULL: the first mistake ends it */
	struct catalog *catalog;
	struct catalog_function defaults;
	bool has_defaults; /* and there is no mistake in them */
	json_t *by_name; /* functions as they are written; NULL: nobody has asked */
};

static int check_function(const struct json_place *place,
			  const struct catalog_check *check,
			  const struct catalog_function *function)
{
	struct error err;

	if (!check->function || !check->function(check->cookie, function, &err))
		return 0;
	return json_reader_refuse(place, "%s", err.message);
}

/* Whether the name that chooses the handler has been read without a mistake. */
static bool entry_is_known(const json_t *value,
			   const struct catalog_function *function)
{
	const bool is_given = json_object_get(value, "entry") != NULL;

	return is_given ? function->entry != NULL : function->name != NULL;
}

/* The keys that a kind of guest has, or does not have, others being of no use to it. */
static int check_keys(const struct json_place *place, const json_t *value,
		      enum catalog_kind kind)
{
	static const struct {
		const char *key;
		enum catalog_kind kind;
	} keys[] = {
		{ "image", CATALOG_KIND_NATIVE },
		{ "entry", CATALOG_KIND_NATIVE },
		{ "host", CATALOG_KIND_NATIVE },
		{ "base", CATALOG_KIND_NATIVE },
		{ "init", CATALOG_KIND_NATIVE },
		{ "program", CATALOG_KIND_LINUX },
		{ "argv", CATALOG_KIND_LINUX },
		{ "warm_input", CATALOG_KIND_LINUX },
		{ "root", CATALOG_KIND_LINUX },
		{ "tmp", CATALOG_KIND_LINUX },
		{ "writable_code", CATALOG_KIND_LINUX },
		{ "devices", CATALOG_KIND_LINUX },
		{ "interrupts", CATALOG_KIND_LINUX },
	};
	const char *path = kind == CATALOG_KIND_LINUX ? "program" : "image";
	int result = 0, r = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct json_place here =
			json_place_member(place, keys[i].key);

		if (keys[i].kind != kind && json_object_get(value, keys[i].key))
			r = json_reader_refuse(
				&here,
				"is for functions of kind \"%s\", and this one "
				"is \"%s\"",
				catalog_kinds.list[keys[i].kind],
				catalog_kinds.list[kind]);
		if (json_reader_ends(place, r, &result))
			return r;
		r = 0;
	}
	if (kind == CATALOG_KIND_NATIVE &&
	    json_array_size(json_object_get(value, "files"))) {
		const struct json_place here =
			json_place_member(place, "files");

		r = json_reader_refuse(
			&here, "is for functions of kind \"linux\": accepted "
			       "is []");
	}
	if (json_reader_ends(place, r, &result))
		return r;
	r = 0;
	if (!json_object_get(value, "base") != !json_object_get(value, "init"))
		r = json_reader_refuse(place, "\"base\" and \"init\" are of "
					      "use only together");
	if (json_reader_ends(place, r, &result))
		return r;
	r = 0;
	if (!json_object_get(value, path))
		r = json_reader_refuse(place, "\"%s\" is missing", path);
	return json_reader_ends(place, r, &result) ? r : result;
}

/* Without "argv", a program's only argument is its own path. */
static int complete_program(const struct json_place *place,
			    struct catalog_function *function)
{
	free(function->image);
	function->image = take_pointer(function->program);
	if (!function->image || function->arguments)
		return 0;
	function->arguments = calloc(2, sizeof(char *));
	if (function->arguments)
		function->arguments[0] = strdup(function->image);
	return function->arguments && function->arguments[0] ?
		       0 :
		       json_reader_no_memory(place);
}

/* Mistakes that only follow from another one are not reported. */
static int read_function(const struct json_place *place, json_t *value,
			 const struct reading *reading,
			 struct catalog_function *function)
{
	const struct json_place init = json_place_member(place, "init");
	struct json_place image;
	int result = 0;
	int r = json_reader_object(place, value, catalog_function_fields,
				   function);
	const bool is_linux = function->kind == CATALOG_KIND_LINUX;

	if (json_reader_ends(place, r, &result))
		return r;
	r = json_is_object(value) ? check_keys(place, value, function->kind) :
				    0;
	if (json_reader_ends(place, r, &result))
		return r;
	r = is_linux ? complete_program(place, function) : 0;
	if (json_reader_ends(place, r, &result))
		return r;
	image = json_place_member(place, is_linux ? "program" : "image");
	if (!result && reading->has_defaults)
		r = catalog_function_complete(place, function);
	if (json_reader_ends(place, r, &result))
		return r;
	if (!function->image)
		return result;
	r = resolve_image(&image, reading->catalog->path, function);
	if (r == 0 && function->warm_input.file)
		r = resolve_path(&image, reading->catalog->path,
				 &function->warm_input.file);
	if (r == 0 && function->init.file)
		r = resolve_path(&init, reading->catalog->path,
				 &function->init.file);
	for (size_t i = 0; r == 0 && i < function->host.secret_count; i++)
		r = resolve_path(place, reading->catalog->path,
				 &function->host.secrets[i].file);
	if (r == 0)
		r = catalog_host_read_secret_files(place, function);
	if (r == 0)
		r = catalog_base_read_init(&init, function);
	/* a link in a root leads elsewhere for us than for the program */
	if (r == 0 && !function->root)
		r = check_image(&image, function->image);
	if (r == 0 && reading->check && is_linux)
		r = catalog_check_program(&image, function);
	else if (r == 0 && reading->check)
		r = catalog_check_image(place, function,
					entry_is_known(value, function),
					!result && reading->has_defaults);
	if (json_reader_ends(place, r, &result))
		return r;
	if (!result && reading->check && reading->has_defaults)
		result = check_function(place, reading->check, function);
	return result;
}

/* Reads the element at @index of @functions. */
static int read_element(const struct json_place *place, json_t *functions,
			size_t index, struct reading *reading)
{
	struct json_place here = json_place_element(place, index);
	json_auto_t *value = json_incref(json_array_get(functions, index));
	int result = 0;
	struct catalog_function *function = &reading->catalog->functions[index];
	int r = catalog_base_take(&here, &reading->by_name, functions, &value,
				  function);

	if (json_reader_ends(place, r, &result) || result)
		return r;
	return read_function(&here, value, reading, function);
}

static int read_functions(const struct json_place *place, json_t *value,
			  struct reading *reading)
{
	struct catalog *catalog = reading->catalog;
	size_t size = json_array_size(value);
	int result = 0;

	if (!json_is_array(value))
		return json_reader_refuse(
			place, "%s is not an array: write [{...}, ...]",
			json_reader_quote(value, (char[JSON_QUOTE_MAX]){ 0 }));
	if (size > CATALOG_FUNCTIONS_MAX)
		return json_reader_refuse(place,
					  "%zu functions: the most is %d", size,
					  CATALOG_FUNCTIONS_MAX);
	catalog->functions = calloc(size + 1, sizeof(*catalog->functions));
	if (!catalog->functions)
		return json_reader_no_memory(place);

	while (catalog->count < size) {
		size_t i = catalog->count++;
		int r;

		catalog->functions[i] = reading->defaults;
		r = read_element(place, value, i, reading);
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

/* Sorts by name, and functions of the same name in the order of the file. */
static int compare_functions(const void *a, const void *b)
{
	const struct catalog_function *one =
		*(const struct catalog_function *const *)a;
	const struct catalog_function *other =
		*(const struct catalog_function *const *)b;
	int order = strcmp(one->name, other->name);

	return order ? order : (one > other) - (one < other);
}

/* Leaves out functions whose name is a mistake. */
static size_t collect_names(struct catalog *catalog,
			    const struct catalog_function **by_name)
{
	size_t count = 0;

	for (size_t i = 0; i < catalog->count; i++)
		if (catalog->functions[i].name)
			by_name[count++] = &catalog->functions[i];
	qsort(by_name, count, sizeof(*by_name), compare_functions);
	return count;
}

static int sort_names(const struct json_place *place, struct catalog *catalog)
{
	const struct catalog_function **by_name =
		calloc(catalog->count + 1, sizeof(*by_name));
	size_t count;
	int result = 0, r;

	catalog->by_name = by_name;
	if (!by_name)
		return json_reader_no_memory(place);
	count = collect_names(catalog, by_name);
	for (size_t i = 1; i < count; i++) {
		size_t first = by_name[i - 1] - catalog->functions;
		size_t second = by_name[i] - catalog->functions;
		struct json_place element = json_place_element(place, second);
		struct json_place name = json_place_member(&element, "name");

		if (strcmp(by_name[i - 1]->name, by_name[i]->name) != 0)
			continue;
		r = json_reader_refuse(
			&name, "\"%s\" is already the name of /functions/%zu",
			by_name[i]->name, first);
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

/* Reads the members of @document. */
static int read_members(const struct json_place *root, json_t *document,
			struct reading *reading)
{
	struct json_place defaults = json_place_member(root, "defaults");
	struct json_place functions = json_place_member(root, "functions");
	struct document members = { .defaults = NULL };
	int result = 0;
	int r = json_reader_object(root, document, document_fields, &members);

	if (json_reader_ends(root, r, &result))
		return r;
	r = members.defaults ? json_reader_object(&defaults, members.defaults,
						  catalog_default_fields,
						  &reading->defaults) :
			       0;
	if (json_reader_ends(root, r, &result))
		return r;
	reading->has_defaults = r == 0;
	if (!members.functions)
		return result;
	r = read_functions(&functions, members.functions, reading);
	if (json_reader_ends(root, r, &result))
		return r;
	r = sort_names(&functions, reading->catalog);
	if (json_reader_ends(root, r, &result))
		return r;
	r = catalog_host_check_invokes(&functions, reading->catalog->functions,
				       reading->catalog->by_name,
				       reading->catalog->count);
	return json_reader_ends(root, r, &result) ? r : result;
}

static int read_document(const struct json_reader *reader,
			 const struct catalog_check *check,
			 struct catalog *catalog)
{
	struct json_place root = { .reader = reader };
	struct reading reading = {
		.check = check,
		.catalog = catalog,
		.defaults = catalog_builtin_defaults(),
	};
	json_auto_t *document = NULL;
	int r = json_reader_parse(reader, &document);

	if (!r)
		r = read_members(&root, document, &reading);
	json_decref(reading.by_name);
	return r;
}

static int parse_catalog(const struct json_reader *reader,
			 const struct catalog_check *check,
			 struct catalog **ret)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));
	int r = -ENOMEM;

	if (catalog)
		catalog->path = strdup(reader->name);
	if (!catalog || !catalog->path)
		error_set(reader->err, r, "%s: out of memory", reader->name);
	else
		r = read_document(reader, check, catalog);
	if (r < 0) {
		catalog_free(catalog);
		return r;
	}
	*ret = catalog;
	return 0;
}

int catalog_parse(const char *text, size_t size, const char *name,
		  struct error *err, struct catalog **ret)
{
	const struct json_reader reader = {
		.name = name,
		.text = text,
		.size = size,
		.err = err,
	};

	return parse_catalog(&reader, NULL, ret);
}

int catalog_check(const char *text, size_t size, const char *name,
		  const struct catalog_check *check, struct error *err,
		  struct catalog **ret)
{
	const struct json_reader reader = {
		.name = name,
		.text = text,
		.size = size,
		.err = err,
		.refused = check->refused,
		.cookie = check->cookie,
	};

	return parse_catalog(&reader, check, ret);
}

/* Reads up to @size bytes; returns how many there were. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, text + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Reads the text of @fd, which messages call @name. */
static int read_catalog_text(int fd, const char *name, struct error *err,
			     char **ret_text, size_t *ret_size)
{
	/* one byte more than allowed, to notice a file that is larger */
	cleanup_free char *text = malloc(CATALOG_FILE_MAX + 1);
	ssize_t size;

	if (!text)
		return error_set(err, -ENOMEM, "%s: out of memory", name);
	size = read_up_to(fd, text, CATALOG_FILE_MAX + 1);
	if (size < 0)
		return error_set(err, (int)size,
				 "%s: cannot read the catalog: %s", name,
				 strerror((int)-size));
	if (size > (ssize_t)CATALOG_FILE_MAX)
		return error_set(err, -EINVAL,
				 "%s: the catalog has more than %zu bytes",
				 name, CATALOG_FILE_MAX);
	*ret_text = take_pointer(text);
	*ret_size = (size_t)size;
	return 0;
}

int catalog_read(const char *path, struct error *err, char **ret_text,
		 size_t *ret_size)
{
	cleanup_close int fd = -1;
	struct stat status;

	if (!path)
		return read_catalog_text(STDIN_FILENO, "standard input", err,
					 ret_text, ret_size);
	fd = file_open_regular(path, &status);
	if (fd == -EINVAL)
		return error_set(err, fd,
				 "%s: not a regular file: a catalog cannot be "
				 "a pipe, a socket or a device",
				 path);
	if (fd < 0)
		return error_set(err, fd, "%s: cannot open the catalog: %s",
				 path, strerror(-fd));
	return read_catalog_text(fd, path, err, ret_text, ret_size);
}

int catalog_load(const char *path, struct error *err, struct catalog **ret)
{
	cleanup_free char *text = NULL;
	size_t size;
	int r = catalog_read(path, err, &text, &size);

	return r < 0 ? r : catalog_parse(text, size, path, err, ret);
}

void catalog_free(struct catalog *catalog)
{
	if (!catalog)
		return;
	for (size_t i = 0; i < catalog->count; i++)
		catalog_function_done(&catalog->functions[i]);
	free(catalog->functions);
	free(catalog->by_name);
	free(catalog->path);
	free(catalog);
}

HOT static int compare_to_name(const void *name, const void *element)
{
	const struct catalog_function *function =
		*(const struct catalog_function *const *)element;

	return strcmp(name, function->name);
}

HOT const struct catalog_function *catalog_find(const struct catalog *catalog,
						const char *name)
{
	const struct catalog_function **found =
		bsearch(name, catalog->by_name, catalog->count,
			sizeof(*catalog->by_name), compare_to_name);

	return found ? *found : NULL;
}

int catalog_not_found(const struct catalog *catalog, const char *name,
		      struct error *err)
{
	struct similar similar = similar_to(name);

	for (size_t i = 0; i < catalog->count; i++)
		similar_try(&similar, catalog->functions[i].name,
			    strlen(catalog->functions[i].name));
	if (similar.name)
		return error_set(err, -ENOENT,
				 "no function %s in %s: did you mean %s?", name,
				 catalog->path, similar.name);
	return error_set(err, -ENOENT,
			 "no function %s in %s: see `thaw functions list`",
			 name, catalog->path);
}
