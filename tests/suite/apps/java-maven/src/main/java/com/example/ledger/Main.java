package com.example.ledger;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

public final class Main {
    public static void main(String[] args) throws Exception {
        String banner;
        try (InputStream in = Main.class.getResourceAsStream("/banner.txt")) {
            banner = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        Path rates = Path.of("config", "rates.txt");
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            String text = exchange.getRequestURI().getPath().equals("/rates") ? Files.readString(rates) : banner;
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
