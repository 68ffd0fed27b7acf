/* footprint.c - see footprint.h. */
#include "bench/footprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 512

/* Names of lines; the last entry is NULL. */
static const char *const private_names[] = { "Private_Clean:", "Private_Dirty:",
					     NULL };
static const char *const kernel_names[] = {
	"Slab:", "VmallocUsed:", "KernelStack:", "PageTables:", "Percpu:", NULL
};

static int open_file(const char *path, struct error *err, FILE **ret_file)
{
	*ret_file = fopen(path, "re");
	return *ret_file ?
		       0 :
		       error_set(err, -errno, "%s: %s", path, strerror(errno));
}

static int open_directory(const char *path, struct error *err, DIR **ret_stream)
{
	*ret_stream = opendir(path);
	return *ret_stream ?
		       0 :
		       error_set(err, -errno, "%s: %s", path, strerror(errno));
}

int bench_footprint_open(pid_t process, struct error *err,
			 struct bench_footprint_files *ret_files)
{
	char path[64];
	int r;

	*ret_files = (struct bench_footprint_files){ .memory = NULL };
	r = open_file("/proc/meminfo", err, &ret_files->machine);
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process);
	if (!r)
		r = open_file(path, err, &ret_files->memory);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
	if (!r)
		r = open_file(path, err, &ret_files->mappings);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
	if (!r)
		r = open_directory(path, err, &ret_files->descriptors);
	return r;
}

/* Sums the lines with these names. -ENODATA: there is none. */
static int sum_lines(FILE *file, const char *const *names, double *ret_kib)
{
	char line[LINE_SIZE], name[64];
	unsigned found = 0;
	double kib, sum = 0;

	if (fseek(file, 0, SEEK_SET))
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lf kB", name, &kib) != 2)
			continue;
		for (size_t i = 0; names[i]; i++)
			if (!strcmp(name, names[i])) {
				sum += kib;
				found++;
			}
	}
	*ret_kib = sum;
	return found ? 0 : -ENODATA;
}

/* A line may be longer than what is read of it at once. */
static double count_lines(FILE *file)
{
	char text[LINE_SIZE];
	double count = 0;

	if (fseek(file, 0, SEEK_SET))
		return 0;
	while (fgets(text, sizeof(text), file))
		count += strchr(text, '\n') != NULL;
	return count;
}

static double count_entries(DIR *stream)
{
	const struct dirent *entry;
	double count = 0;

	rewinddir(stream);
	while ((entry = readdir(stream)))
		count += entry->d_name[0] != '.';
	return count;
}

int bench_footprint_read(const struct bench_footprint_files *files,
			 struct error *err,
			 struct bench_footprint *ret_footprint)
{
	if (sum_lines(files->memory, private_names,
		      &ret_footprint->private_kib))
		return error_set(err, -ENODATA,
				 "/proc/PID/smaps_rollup does not say what "
				 "memory is private");
	if (sum_lines(files->machine, kernel_names, &ret_footprint->kernel_kib))
		return error_set(err, -ENODATA,
				 "/proc/meminfo does not say what the kernel "
				 "takes");
	ret_footprint->mappings = count_lines(files->mappings);
	ret_footprint->descriptors = count_entries(files->descriptors);
	return 0;
}

static void close_file(FILE *file)
{
	if (file)
		fclose(file);
}

void bench_footprint_close(struct bench_footprint_files *files)
{
	close_file(files->memory);
	close_file(files->machine);
	close_file(files->mappings);
	if (files->descriptors)
		closedir(files->descriptors);
}

struct bench_footprint
bench_footprint_each(const struct bench_footprint *before,
		     const struct bench_footprint *after, unsigned count)
{
	return (struct bench_footprint){
		.private_kib =
			(after->private_kib - before->private_kib) / count,
		.kernel_kib = (after->kernel_kib - before->kernel_kib) / count,
		.mappings = (after->mappings - before->mappings) / count,
		.descriptors =
			(after->descriptors - before->descriptors) / count,
	};
}
