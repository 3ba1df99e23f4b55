package org.linha.painel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalTime;
import java.util.List;

/** The timetable; the file is read at every question, since the office edits it. */
record Horario(Path file) {
    record Partida(LocalTime hora, String linha, String destino) {}

    List<Partida> read() throws IOException {
        return Files.readAllLines(file).stream().skip(1).filter(line -> !line.isBlank()).map(Horario::row).toList();
    }

    List<Partida> after(LocalTime time) throws IOException {
        return read().stream().filter(each -> !each.hora().isBefore(time)).toList();
    }

    private static Partida row(String line) {
        String[] cells = line.split(";");
        return new Partida(LocalTime.parse(cells[0]), cells[1], cells[2]);
    }
}
