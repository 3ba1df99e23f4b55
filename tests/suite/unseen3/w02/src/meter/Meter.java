package meter;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.ServiceLoader;
import javax.imageio.ImageIO;

/** Converts meter readings with whatever units lie in extensions/, and paints them. */
public final class Meter {
    public interface Unit {
        String name();

        double fromKwh(double kwh);
    }

    private static final Properties config = new Properties();
    private static final List<Unit> units = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        try (InputStream file = Files.newInputStream(Path.of("config/application.properties"))) {
            config.load(file);
        }
        List<URL> jars = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(Path.of("extensions"), "*.jar")) {
            for (Path each : found) {
                jars.add(each.toUri().toURL());
            }
        }
        ClassLoader loader = new URLClassLoader(jars.toArray(new URL[0]), Meter.class.getClassLoader());
        ServiceLoader.load(Unit.class, loader).forEach(units::add);
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(config.getProperty("server.port"))), 0);
        server.createContext("/", Meter::convert);
        server.createContext("/chart.png", Meter::chart);
        server.start();
    }

    private static void convert(HttpExchange call) throws IOException {
        String[] words = call.getRequestURI().getPath().substring(1).split("/");
        if (words.length == 2) {
            for (Unit unit : units) {
                if (unit.name().equals(words[0])) {
                    send(call, 200, "%.2f %s%n".formatted(unit.fromKwh(Double.parseDouble(words[1])), unit.name()).getBytes());
                    return;
                }
            }
        }
        send(call, words[0].isEmpty() ? 200 : 404, (config.getProperty("greeting") + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void chart(HttpExchange call) throws IOException {
        BufferedImage image = new BufferedImage(120, 60, BufferedImage.TYPE_INT_RGB);
        Graphics2D brush = image.createGraphics();
        brush.setColor(Color.decode(config.getProperty("chart.color")));
        String[] values = config.getProperty("chart.values").split(",");
        for (int at = 0; at < values.length; at++) {
            int height = Integer.parseInt(values[at].trim());
            brush.fillRect(at * 20, 60 - height, 16, height);
        }
        brush.dispose();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        send(call, 200, out.toByteArray());
    }

    private static void send(HttpExchange call, int status, byte[] body) throws IOException {
        call.sendResponseHeaders(status, body.length);
        call.getResponseBody().write(body);
        call.close();
    }
}
