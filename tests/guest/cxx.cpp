/*
 * cxx.cpp - does what C++ can do, as the request says: replies what was expected,
 * or ends as it must without exceptions.
 */
#include <algorithm>
#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <cstddef>
#include <cstdint>

#include <thaw.h>

namespace
{

/* In the order in which constructors and init run, and before a snapshot. */
std::vector<std::string> made{ "list" };

struct maker {
	explicit maker(const char *what)
	{
		made.emplace_back(what);
	}
	~maker()
	{
		made.clear();
	}
} first{ "object" };

__attribute__((init_priority(200))) std::string early = "early";

struct shape {
	virtual ~shape() = default;
	virtual int corners() const = 0;
	__attribute__((noinline)) int ask() const
	{
		return corners();
	}
};

struct square final : shape {
	int corners() const override
	{
		return 4;
	}
};

/* Asks before there is an answer. */
struct hasty : shape {
	hasty() : answer(ask())
	{
	}
	int answer;
};

struct unfinished final : hasty {
	int corners() const override
	{
		return 0;
	}
};

struct alignas(256) wide {
	char bytes[256];
};

volatile std::size_t too_many = std::size_t(1) << 40;

std::string text;

void say(const std::string &what)
{
	text += what + ' ';
}

void say(bool is)
{
	say(std::string(is ? "yes" : "no"));
}

bool is_aligned(const void *memory, std::uintptr_t to)
{
	return memory && reinterpret_cast<std::uintptr_t>(memory) % to == 0;
}

/* A compiler may leave out a new that is not used, as if it had succeeded. */
__attribute__((noinline)) bool is_there(const void *memory)
{
	return memory;
}

void constructors()
{
	static const int local = [] { return 7; }();

	say(early);
	for (const auto &what : made)
		say(what);
	say(std::to_string(local));
	made.clear();
}

void news()
{
	std::unique_ptr<wide> one(new wide);
	std::unique_ptr<wide[]> some(new wide[3]);
	int *plain = new int(5), *many = new int[1000]();
	alignas(square) char place[sizeof(square)];
	shape *placed = new (place) square;

	say(is_aligned(one.get(), 256) && is_aligned(some.get(), 256));
	say(*plain == 5 && !many[999] && placed->corners() == 4);
	say(is_aligned(::operator new(0), alignof(std::max_align_t)));
	delete plain;
	delete[] many;
	delete new (std::nothrow) square;
	delete[] new (std::nothrow) wide[2];
	placed->~shape();
	say(!is_there(new (std::nothrow) char[too_many]));
	say(!is_there(new (std::nothrow) wide[too_many]));
}

void virtuals()
{
	std::shared_ptr<shape> owned = std::make_shared<square>();
	shape &one = *owned;

	say(one.ask() == 4);
	say(dynamic_cast<square *>(&one) != nullptr);
	say(dynamic_cast<unfinished *>(&one) == nullptr);
	say(typeid(one) == typeid(square));
}

void library()
{
	std::map<std::string, int> ordered{ { "b", 2 }, { "a", 1 } };
	std::unordered_map<std::string, int> hashed{ { "c", 3 } };
	std::list<int> numbers(10);
	std::optional<std::string_view> view = "view";
	std::variant<int, std::string> either = std::string("either");
	std::function<int(int)> add = [&](int x) { return x + ordered["b"]; };
	std::array<int, 3> three{ 3, 1, 2 };

	std::iota(numbers.begin(), numbers.end(), 0);
	std::sort(three.begin(), three.end());
	for (int i = 0; i < 1000; i++)
		hashed[std::to_string(i)] = i;
	ordered.erase("a");
	say(ordered.begin()->first + std::to_string(hashed["999"]));
	say(std::to_string(std::accumulate(numbers.begin(), numbers.end(), 0)));
	say(std::string(*view) + std::get<std::string>(either).substr(1));
	say(std::to_string(add(three[0])) + std::to_string(std::stod("2.5")));
	say(std::to_string(std::set<int>{ 1, 1, 2 }.size()));
}

void out_of_range()
{
	say(std::string("short").substr(100));
}

void out_of_range_alone()
{
	say(std::to_string(std::vector<int>(1).at(2)));
}

void no_length()
{
	std::vector<int> none;

	none.reserve(SIZE_MAX / 2);
	say(!none.empty());
}

void no_number()
{
	say(std::to_string(std::stoi(text + "none")));
}

void no_function()
{
	std::function<void()>()();
}

void no_cast()
{
	square one;
	shape &any = one;

	say(dynamic_cast<unfinished &>(any).corners() == 0);
}

void no_memory()
{
	std::vector<std::unique_ptr<char[]>> all;

	for (all.reserve(1000);;)
		all.emplace_back(new char[1 << 16]);
}

void pure()
{
	say(std::to_string(unfinished().answer));
}

void terminates()
{
	std::terminate();
}

const std::pair<std::string_view, void (*)()> deeds[] = {
	{ "constructors", constructors },
	{ "news", news },
	{ "virtuals", virtuals },
	{ "library", library },
	{ "out_of_range", out_of_range },
	{ "out_of_range_alone", out_of_range_alone },
	{ "no_length", no_length },
	{ "no_number", no_number },
	{ "no_function", no_function },
	{ "no_cast", no_cast },
	{ "no_memory", no_memory },
	{ "pure", pure },
	{ "terminates", terminates },
};

} /* namespace */

THAW_INIT(last)
{
	made.emplace_back("init");
	return 0;
}

THAW_HANDLER(cxx)
{
	const std::string_view wanted(static_cast<const char *>(request->data),
				      request->size);

	for (auto [name, act] : deeds)
		if (name == wanted)
			act();
	return thaw_reply(text.data(), text.size());
}
