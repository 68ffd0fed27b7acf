#!/usr/bin/lua5.4
-- driver.lua FILE.lua - answers calls of the functions of the table that the file returns.
local json = require("cjson")
local functions = dofile(arg[1])

local function answer(line)
	local call = json.decode(line)
	local f = functions[call["function"]]
	if type(f) ~= "function" then
		error("no such function: " .. tostring(call["function"]), 0)
	end
	return f(table.unpack(call.args or {}))
end

local requests, replies = io.open("/dev/thaw"), io.open("/dev/thaw", "w")
for line in requests:lines() do
	local good, result = pcall(answer, line)
	local reply = {result = result == nil and json.null or result}
	if not good then
		reply = {error = {type = "Error", message = tostring(result)}}
	end
	replies:write(json.encode(reply), "\n")
	replies:flush()
end
