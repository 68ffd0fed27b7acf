// stock.cpp - the value of a stock, as a program reads and writes it: a line has a name, a
// price and a number. Lines that make no sense are exceptions, and are counted.
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace
{

struct item {
	std::string name;
	double price;
	long number;
};

item parse(const std::string &line)
{
	std::istringstream text(line);
	item result;

	if (!(text >> result.name >> result.price >> result.number))
		throw std::invalid_argument("not NAME PRICE NUMBER: " + line);
	if (result.number < 0)
		throw std::out_of_range("a negative number: " + line);
	return result;
}

} // namespace

int main()
{
	std::map<std::string, double> values;
	unsigned mistakes = 0;
	std::string line;

	while (std::getline(std::cin, line)) {
		try {
			const item item = parse(line);

			values[item.name] += item.price * double(item.number);
		} catch (const std::exception &error) {
			std::cerr << error.what() << std::endl;
			mistakes++;
		}
	}
	std::cout << std::fixed << std::setprecision(2);
	for (const auto &[name, value] : values)
		std::cout << name << ' ' << value << '\n';
	if (mistakes)
		std::cout << mistakes << " mistakes\n";
}
