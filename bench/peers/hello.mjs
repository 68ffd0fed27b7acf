// hello.mjs - the job of the servers in JavaScript: that of thaw's sample function hello.
export function hello(body) {
  const { name = 'world' } = JSON.parse(body);
  if (typeof name !== 'string')
    throw new TypeError('the name is no string');
  return JSON.stringify({ message: `Hello, ${name}!` });
}
