/*
 * standard.cc - a Linux program for tests/contract/test_linux_threads.c, in C++ with its
 * standard library: threads, exceptions and streams.
 */
#include <condition_variable>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{
std::map<std::string, int> counts;
std::mutex mutex;
thread_local int seen;

void count(const std::string &word)
{
	std::lock_guard<std::mutex> guard(mutex);

	++counts[word];
	++seen;
}

void count_line(const std::string &line)
{
	std::istringstream words(line);
	std::string word;

	while (words >> word)
		count(word);
	if (!seen)
		throw std::runtime_error("an empty line");
}

int run()
{
	std::vector<std::future<void>> lines;
	std::string line;

	while (std::getline(std::cin, line))
		lines.push_back(
			std::async(std::launch::async, count_line, line));
	for (auto &future : lines) {
		try {
			future.get();
		} catch (const std::exception &error) {
			std::cout << "caught " << error.what() << '\n';
		}
	}
	for (const auto &[word, number] : counts)
		std::cout << word << ' ' << number << '\n';
	return 0;
}
} // namespace

int main()
{
	std::thread before([] { count("before"); });

	before.join();
	return run();
}
