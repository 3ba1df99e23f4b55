const express = require('express');
const todos = require('./data/todos.json');

const app = express();
app.use('/assets', express.static('assets'));
app.get('/todos', (request, response) => response.json(todos));
app.get('/todos/:id', (request, response) => {
  const todo = todos.find((one) => one.id === Number(request.params.id));
  if (todo) response.json(todo);
  else response.status(404).send('no such todo');
});
app.listen(3000, () => console.log('listening'));
