package org.example.rates;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

public final class Main {
    private static final Gson GSON = new Gson();

    public static void main(String[] args) throws IOException, ParseException {
        Options options = new Options().addOption(null, "config", true, "properties to read");
        CommandLine line = new DefaultParser().parse(options, args);
        Properties settings = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(line.getOptionValue("config")))) {
            settings.load(reader);
        }
        Converter converter = new Converter(settings);
        HttpServer server = HttpServer.create(
            new InetSocketAddress(Integer.parseInt(settings.getProperty("port"))), 0);
        server.createContext("/", exchange -> send(exchange, 200, help()));
        server.createContext("/convert/", exchange -> {
            String[] parts = exchange.getRequestURI().getPath().split("/");
            try {
                double amount = converter.convert(Double.parseDouble(parts[2]), parts[3], parts[4]);
                send(exchange, 200, GSON.toJson(Map.of("amount", amount)));
            } catch (RuntimeException error) {
                send(exchange, 400, String.valueOf(error.getMessage()));
            }
        });
        server.start();
    }

    private static String help() throws IOException {
        try (InputStream in = Main.class.getResourceAsStream("help.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
