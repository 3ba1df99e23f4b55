import { defineConfig } from "vite";

export default defineConfig({
  root: "web",
  build: {
    outDir: "../dist/public",
    emptyOutDir: true,
    rollupOptions: { output: { entryFileNames: "app.js", assetFileNames: "[name][extname]" } },
  },
});
