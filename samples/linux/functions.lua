-- Functions for driver.lua.
local functions = {}

function functions.add(a, b)
	return a + b
end

function functions.reverse(text)
	return text:reverse()
end

function functions.fail()
	error("as asked", 0)
end

return functions
