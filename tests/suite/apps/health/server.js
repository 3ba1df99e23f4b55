const { createServer } = require('http');
const fs = require('fs');

const limits = JSON.parse(fs.readFileSync('limits.json'));

createServer((request, response) => {
  if (request.url === '/health') return response.end('healthy\n');
  if (request.url === '/save') {
    fs.writeFileSync('files/note', 'saved\n');
    return response.end(fs.readFileSync('files/note'));
  }
  response.end(`${limits.size}\n`);
}).listen(8080);
process.on('SIGINT', () => process.exit(0));
