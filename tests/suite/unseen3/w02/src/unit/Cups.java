package unit;

public final class Cups implements meter.Meter.Unit {
    public String name() {
        return "cups-of-tea";
    }

    public double fromKwh(double kwh) {
        return kwh * 40;
    }
}
