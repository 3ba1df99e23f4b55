export const greeting = (who) => `Welcome, ${who}`;
