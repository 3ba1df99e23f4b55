package org.example.rates;

import java.util.Properties;

/** Amounts between currencies, by the rates to one crown. */
record Converter(Properties settings) {
    double convert(double amount, String from, String to) {
        return Math.round(100 * amount * rate(from) / rate(to)) / 100.0;
    }

    private double rate(String currency) {
        String found = settings.getProperty("rate." + currency);
        if (found == null) {
            throw new IllegalArgumentException("no rate of " + currency);
        }
        return Double.parseDouble(found);
    }
}
