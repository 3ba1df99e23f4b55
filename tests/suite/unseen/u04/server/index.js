const http = require('http');
const fs = require('fs');
const ms = require('ms');

http.createServer((req, res) => {
  if (req.url === '/main.js') return fs.createReadStream('public/main.js').pipe(res);
  res.end(String(ms(decodeURIComponent(req.url.slice(1)))));
}).listen(5050);
