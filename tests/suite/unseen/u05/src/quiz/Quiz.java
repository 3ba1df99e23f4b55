package quiz;

import java.io.BufferedReader;
import java.io.InputStreamReader;

public class Quiz {
    public static void main(String[] args) throws Exception {
        try (var in = new BufferedReader(new InputStreamReader(Quiz.class.getResourceAsStream("/assets/questions.txt")))) {
            var lines = in.lines().toList();
            int number = args.length > 0 ? Integer.parseInt(args[0]) : 1;
            if (number > lines.size()) System.exit(9);
            System.out.println(lines.get(number - 1));
        }
    }
}
