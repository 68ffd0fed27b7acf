// node_http.mjs - serves the job of hello.mjs with node:http.
//
//	node node_http.mjs PORT			in the process' own context
//	node node_http.mjs PORT context		in a new context of node:vm for each request
//	node node_http.mjs PORT echo		replies the request instead
import { createServer } from 'node:http';
import { createContext, Script } from 'node:vm';
import { hello } from './hello.mjs';

const [port, kind] = process.argv.slice(2);
const script = new Script(`(${hello})`);
const answers = {
  context: (body) => script.runInContext(createContext())(body.toString()),
  echo: (body) => body,
};
const answer = answers[kind] ?? ((body) => hello(body.toString()));

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    let reply, status = 200;
    try {
      reply = answer(Buffer.concat(chunks));
    } catch (error) {
      status = 400;
      reply = JSON.stringify({ error: String(error) });
    }
    response.writeHead(status, {
      'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(reply),
    });
    response.end(reply);
  });
}).listen(Number(port), '127.0.0.1');
