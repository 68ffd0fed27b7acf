// workerd.mjs - serves the job of hello.mjs in workerd. See workerd.capnp.
import { hello } from 'hello.mjs';

export default {
  async fetch(request) {
    return new Response(hello(await request.text()),
      { headers: { 'Content-Type': 'application/json' } });
  },
};
