"use strict";

const Koa = require("koa");
const routes = require("./lib/routes");

const app = new Koa();

app.use(async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    ctx.status = 422;
    ctx.body = `${error.message}\n`;
  }
});

app.use(async (ctx) => {
  const [, name, ...rest] = decodeURIComponent(ctx.path).split("/");
  const route = Object.hasOwn(routes, name) ? routes[name] : routes.help;
  ctx.body = await route(rest.join("/"), ctx);
});

app.listen(Number(process.env.PORT || 3000));
