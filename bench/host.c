/* host.c - see host.h. */
#include "bench/host.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/libthaw.h"
#include "vm/kvm.h"

#define CPU_DIRECTORY "/sys/devices/system/cpu/"
#define VULNERABILITIES CPU_DIRECTORY "vulnerabilities"
#define GOVERNOR CPU_DIRECTORY "cpu0/cpufreq/scaling_governor"
#define CLOCK_SOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* Sets @key to the text after @start in the first line of @path that has it. */
static void set_line(json_t *object, const char *key, const char *path,
		     const char *start)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	const size_t skip = strlen(start);
	char text[512];

	while (file && fgets(text, sizeof(text), file)) {
		const char *value = text + skip;

		if (strncmp(text, start, skip) != 0)
			continue;
		value += strspn(value, "\t :");
		json_object_set_new(object, key,
				    json_stringn(value, strcspn(value, "\n")));
		return;
	}
}

static json_t *kvm_json(void)
{
	struct kvm_fact facts[KVM_FACTS_MAX];
	size_t count = kvm_facts(facts);
	json_t *object = json_pack("{s:s}", "device", kvm_device());
	const struct kvm_host *host;

	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, facts[i].name,
				    json_integer(facts[i].answer));
	if (kvm_open(NULL, &host))
		return object;
	json_object_set_new(object, "dirty ring bytes",
			    json_integer((json_int_t)host->dirty_ring_bytes));
	json_object_set_new(object, "manual protect",
			    json_integer(host->manual_protect));
	return object;
}

/* Adds what the kernel reports about each weakness of the CPU. */
static json_t *mitigations_json(void)
{
	json_t *object = json_object();
	DIR *directory = opendir(VULNERABILITIES);
	const struct dirent *entry;
	char path[sizeof(VULNERABILITIES) + sizeof(entry->d_name) + 1];

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), VULNERABILITIES "/%s",
			 entry->d_name);
		set_line(object, entry->d_name, path, "");
	}
	if (directory)
		closedir(directory);
	return object;
}

json_t *bench_host_json(const char *restore)
{
	struct utsname names = { .sysname = "" };
	struct rusage usage = { .ru_nvcsw = 0 };
	json_t *object = json_pack("{s:s}", "thaw", thaw_version());

	uname(&names);
	getrusage(RUSAGE_SELF, &usage);
	if (restore)
		json_object_set_new(object, "restore", json_string(restore));
	set_line(object, "cpu", "/proc/cpuinfo", "model name");
	json_object_set_new(object, "machine", json_string(names.machine));
	json_object_set_new(object, "online_cpus",
			    json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(object, "kernel", json_string(names.release));
	json_object_set_new(object, "kvm", kvm_json());
	json_object_set_new(object, "mitigations", mitigations_json());
	set_line(object, "governor", GOVERNOR, "");
	set_line(object, "clock_source", CLOCK_SOURCE, "");
	set_line(object, "migrations", "/proc/self/sched", "se.nr_migrations");
	json_object_set_new(object, "voluntary_switches",
			    json_integer(usage.ru_nvcsw));
	json_object_set_new(object, "involuntary_switches",
			    json_integer(usage.ru_nivcsw));
	return object;
}
