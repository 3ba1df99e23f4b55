package example;

import java.util.MissingResourceException;
import java.util.ResourceBundle;

class Messages {
    private final ResourceBundle bundle = ResourceBundle.getBundle("messages");

    String get(String key) {
        try {
            return bundle.getString(key);
        } catch (MissingResourceException e) {
            return "?" + key;
        }
    }
}
