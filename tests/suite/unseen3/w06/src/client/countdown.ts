export function countdown(time: string, now: Date): string {
  const [hours, minutes] = time.split(":").map(Number);
  const left = hours * 60 + minutes - now.getHours() * 60 - now.getMinutes();
  return left < 0 ? "gone with the tide" : `in ${Math.floor(left / 60)} h ${left % 60} min`;
}
