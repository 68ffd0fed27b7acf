/*
 * calc.cpp - a calculator, in C++ with strings, maps and lambdas of its library.
 *
 *	r = 2 + 0.5
 *	area(r) = pi * r ^ 2
 *	area(r) + 1			->  20.6349540849362
 *
 * A line of the request is an expression, whose value is a line of the reply, or
 * defines a variable or a function. What there is from the start is defined by a
 * constructor, once, before the snapshot; what a request defines is gone with it.
 *
 * There are no exceptions: an error ends the invocation where it is found.
 */
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thaw.h>

namespace
{

constexpr int DEPTH_MAX = 100; /* of parentheses and calls in each other */

using values = std::vector<double>;

struct function {
	size_t arity;
	std::function<double(const values &)> call;
};

struct names {
	std::map<std::string, double> variables;
	std::map<std::string, function> functions;
};

/* One line, read by recursive descent: a method for each rule of the grammar. */
class line
{
public:
	/* @at in @text is where to begin; @local are the parameters there. */
	line(names &known, std::string_view text, unsigned number,
	     size_t at = 0, std::map<std::string, double> local = {})
	    : known(known), text(text), number(number), at(at),
	      local(std::move(local))
	{
	}

	/* Does what it says. Whether it has a value, which is in *ret_value. */
	bool run(double *ret_value);

private:
	[[noreturn]] void fail(const char *what) const
	{
		thaw_fail("Calc.InvalidRequest", "line %u, column %zu: %s",
			  number, at + 1, what);
	}

	/* The next character that is no blank, or 0 at the end. */
	char next()
	{
		while (at < text.size() &&
		       (text[at] == ' ' || text[at] == '\t'))
			at++;
		return at < text.size() ? text[at] : '\0';
	}

	bool take(char wanted)
	{
		if (next() != wanted)
			return false;
		at++;
		return true;
	}

	void expect(char wanted, const char *otherwise)
	{
		if (!take(wanted))
			fail(otherwise);
	}

	/* What @read reads or calls, which may lead here again. */
	template <typename reader> double nested(reader read)
	{
		if (++depth > DEPTH_MAX)
			fail("parentheses or calls are nested too deeply");
		double value = read();
		depth--;
		return value;
	}

	std::string name();
	void define();
	void define_function(const std::string &name);
	double sum();
	double product();
	double sign();
	double power();
	double primary();
	double constant();
	double named(const std::string &name);

	names &known;
	const std::string_view text;
	const unsigned number;
	size_t at;
	std::map<std::string, double> local;
	static inline int depth; /* of nested(), in all lines that are read */
};

double line::sum()
{
	double value = product();

	for (;;) {
		if (take('+'))
			value += product();
		else if (take('-'))
			value -= product();
		else
			return value;
	}
}

double line::product()
{
	double value = sign();

	for (;;) {
		if (take('*'))
			value *= sign();
		else if (take('/'))
			value /= sign();
		else
			return value;
	}
}

double line::sign()
{
	return take('-') ? -nested([this] { return sign(); }) : power();
}

double line::power()
{
	double base = primary();

	if (!take('^'))
		return base;
	return std::pow(base, nested([this] { return sign(); }));
}

double line::primary()
{
	if (take('(')) {
		double value = nested([this] { return sum(); });

		expect(')', "there is no )");
		return value;
	}
	if (std::isdigit((unsigned char)next()) || next() == '.')
		return constant();
	return named(name());
}

double line::constant()
{
	const std::string rest(text.substr(at)); /* with a zero behind it */
	char *end;
	double value = std::strtod(rest.c_str(), &end);

	if (end == rest.c_str())
		fail("this is no number");
	at += (size_t)(end - rest.c_str());
	return value;
}

std::string line::name()
{
	if (!std::isalpha((unsigned char)next()))
		fail("there is no number or name");
	const size_t start = at;
	while (at < text.size() &&
	       (std::isalnum((unsigned char)text[at]) || text[at] == '_'))
		at++;
	return std::string(text.substr(start, at - start));
}

/* A parameter, a call, or a variable. */
double line::named(const std::string &name)
{
	if (auto found = local.find(name); found != local.end())
		return found->second;
	if (!take('(')) {
		auto found = known.variables.find(name);

		if (found == known.variables.end())
			fail("there is no variable of this name");
		return found->second;
	}
	auto found = known.functions.find(name);
	values arguments;

	if (found == known.functions.end())
		fail("there is no function of this name");
	do
		arguments.push_back(nested([this] { return sum(); }));
	while (take(','));
	if (arguments.size() != found->second.arity)
		fail("it takes another number of arguments");
	expect(')', "there is no )");
	return nested([&] { return found->second.call(arguments); });
}

/* "name(a, b) = ..."; the first parenthesis has been read. */
void line::define_function(const std::string &name)
{
	std::vector<std::string> parameters;

	do
		parameters.push_back(this->name());
	while (take(','));
	expect(')', "there is no )");
	expect('=', "there is no =");
	/* tried once, so that what is wrong in it is found here */
	const size_t body = at;
	for (const std::string &parameter : parameters)
		local[parameter] = 1;
	sum();
	auto call = [&known = known, line_text = std::string(text),
		     number = number, body,
		     parameters](const values &arguments) {
		std::map<std::string, double> local;

		for (size_t i = 0; i < parameters.size(); i++)
			local[parameters[i]] = arguments[i];
		return line(known, line_text, number, body, std::move(local))
			.sum();
	};
	/* not anew: others may call it, with as many arguments as it has */
	if (!known.functions.insert({ name, { parameters.size(), call } })
		     .second)
		fail("there is a function of this name already");
}

void line::define()
{
	const std::string defined = name();

	if (take('(')) {
		define_function(defined);
		return;
	}
	expect('=', "there is no =");
	known.variables[defined] = sum();
}

bool line::run(double *ret_value)
{
	const bool is_definition = text.find('=') != text.npos;

	if (next() == '#' || at == text.size())
		return false;
	if (is_definition)
		define();
	else
		*ret_value = sum();
	if (next() || at < text.size())
		fail("there is more behind it");
	return !is_definition;
}

/* Runs each line of @script, and calls @show with the values. */
template <typename shower>
void run(names &known, std::string_view script, shower show)
{
	for (unsigned number = 1; !script.empty(); number++) {
		const auto text = script.substr(0, script.find('\n'));
		double value;

		if (line(known, text, number).run(&value))
			show(value);
		script.remove_prefix(std::min(text.size() + 1, script.size()));
	}
}

/* What there is from the start. */
struct language : names {
	language()
	{
		using of_one = double (*)(double);
		const std::pair<const char *, of_one> built_in[] = {
			{ "sqrt", std::sqrt }, { "exp", std::exp },
			{ "log", std::log },   { "sin", std::sin },
			{ "cos", std::cos },   { "floor", std::floor },
		};

		for (auto [name, what] : built_in)
			functions[name] = {
				1,
				[what = what](const values &arguments) {
					return what(arguments[0]);
				},
			};
		variables["pi"] = std::acos(-1.0);
		run(*this,
		    "tan(x) = sin(x) / cos(x)\n"
		    "hypot(a, b) = sqrt(a ^ 2 + b ^ 2)\n"
		    "round(x) = floor(x + 0.5)\n",
		    [](double) {});
	}
};

language known;

} /* namespace */

THAW_HANDLER(calc)
{
	const std::string_view script(static_cast<const char *>(request->data),
				      request->size);

	thaw_reply_type("text/plain");
	run(known, script, [](double value) {
		if (thaw_reply_printf("%.15g\n", value) < 0)
			thaw_fail("Calc.ReplyTooLarge", "raise max_reply");
	});
	return 0;
}
