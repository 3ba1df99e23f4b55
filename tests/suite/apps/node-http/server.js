const http = require('http');
const fs = require('fs');
const path = require('path');

const pages = path.join(__dirname, 'pages');

http.createServer((request, response) => {
  const name = request.url === '/' ? 'index' : path.basename(request.url);
  fs.readFile(path.join(pages, `${name}.html`), (error, body) => {
    response.writeHead(error ? 404 : 200, { 'Content-Type': 'text/html' });
    response.end(error ? 'not found\n' : body);
  });
}).listen(8080);
