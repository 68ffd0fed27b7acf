// node_isolates.mjs - in one process of Node, something new for each request.
//
//	node node_isolates.mjs SECONDS wasm FILE	an instance of echo.wat, compiled once
//	node node_isolates.mjs SECONDS context		a context of node:vm, for hello.mjs,
//							compiled once
//
// Prints what samples.h says.
import { readFileSync } from 'node:fs';
import { createContext, Script } from 'node:vm';
import { hello } from './hello.mjs';

const REQUEST_SIZE = 64;

function wasm(file) {
  const module = new WebAssembly.Module(readFileSync(file));
  const request = new Uint8Array(REQUEST_SIZE).fill(7);

  return () => {
    const { memory, handle } = new WebAssembly.Instance(module).exports;
    new Uint8Array(memory.buffer, 0, REQUEST_SIZE).set(request);
    const reply = new Uint8Array(memory.buffer, handle(REQUEST_SIZE), REQUEST_SIZE);
    if (reply[REQUEST_SIZE - 1] !== 7)
      throw new Error('the reply is not the request');
  };
}

function context() {
  const script = new Script(`(${hello})`);

  return () => {
    const reply = script.runInContext(createContext())('{"name":"Ada"}');
    if (reply !== '{"message":"Hello, Ada!"}')
      throw new Error('the reply is no greeting');
  };
}

function take(once, endNs) {
  const samples = [];
  let before = process.hrtime.bigint(), now;

  do {
    once();
    now = process.hrtime.bigint();
    samples.push(Number(now - before) / 1e3);
    before = now;
  } while (now < endNs);
  return samples;
}

const [seconds, kind, file] = process.argv.slice(2);
const once = { wasm, context }[kind](file);
const start = process.hrtime.bigint();
take(once, start + BigInt(Math.round(seconds * 1e8)));
const cpu = process.cpuUsage();
const samples = take(once, start + BigInt(Math.round(seconds * 1e9)));
const { user, system } = process.cpuUsage(cpu);
samples.sort((a, b) => a - b);
const percentile = (part) => samples[Math.floor(part * samples.length)];
console.log(JSON.stringify({
  n: samples.length, p50: percentile(0.5), p99: percentile(0.99),
  cpu: (user + system) / samples.length,
}));
