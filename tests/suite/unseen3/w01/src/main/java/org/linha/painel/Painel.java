package org.linha.painel;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalTime;
import java.util.List;
import java.util.Locale;
import java.util.ResourceBundle;
import java.util.concurrent.Executors;

/** The board at the bus stop: what leaves next. */
public final class Painel {
    private static final ResourceBundle.Control PLAIN =
        ResourceBundle.Control.getNoFallbackControl(ResourceBundle.Control.FORMAT_PROPERTIES);
    private final Horario horario;

    private Painel(Horario horario) {
        this.horario = horario;
    }

    public static void main(String[] args) throws IOException {
        Path dados = Path.of(System.getProperty("dados", "dados"));
        Painel painel = new Painel(new Horario(dados.resolve("partidas.csv")));
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", painel::page);
        server.createContext("/proximo", painel::next);
        server.start();
        System.out.println("painel: porta 8080");
    }

    private void page(HttpExchange call) throws IOException {
        ResourceBundle words = words(call);
        if (!call.getRequestURI().getPath().equals("/")) {
            answer(call, 404, template("erro.html").formatted(words.getString("nada")));
            return;
        }
        StringBuilder rows = new StringBuilder();
        for (Horario.Partida each : horario.read()) {
            rows.append("<tr><td>").append(each.hora()).append("</td><td>").append(each.linha()).append("</td><td>")
                .append(each.destino()).append("</td></tr>\n");
        }
        answer(call, 200, template("painel.html").formatted(words.getString("titulo"), rows));
    }

    private void next(HttpExchange call) throws IOException {
        String at = parameter(call, "hora", LocalTime.now().toString());
        List<Horario.Partida> later = horario.after(LocalTime.parse(at));
        String text = later.isEmpty() ? words(call).getString("nada")
            : words(call).getString("proximo").formatted(later.get(0).linha(), later.get(0).destino(), later.get(0).hora());
        answer(call, later.isEmpty() ? 404 : 200, text + "\n");
    }

    private static ResourceBundle words(HttpExchange call) {
        Locale locale = Locale.of(parameter(call, "lang", "pt"));
        return ResourceBundle.getBundle("org.linha.painel.textos", locale, PLAIN);
    }

    private static String parameter(HttpExchange call, String name, String other) {
        String query = call.getRequestURI().getQuery();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            if (pair.startsWith(name + "=")) {
                return pair.substring(name.length() + 1);
            }
        }
        return other;
    }

    private static String template(String name) throws IOException {
        try (InputStream file = Painel.class.getResourceAsStream(name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void answer(HttpExchange call, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        call.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        call.sendResponseHeaders(status, bytes.length);
        call.getResponseBody().write(bytes);
        call.close();
    }
}
