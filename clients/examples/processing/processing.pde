// Paints the sketch's own drawing: draw with the mouse on the left, see the result on the right. Needs Processing 4 and
// a server that was started with --compat demo. Nothing has to be installed: Java speaks WebSocket itself.
import java.io.*;
import java.net.URI;
import java.net.http.*;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.*;
import javax.imageio.ImageIO;

String server = "127.0.0.1:8420";
String parameters = "{\"prompt\": \"oil painting\"}";
int side = 256;

String user = UUID.randomUUID().toString();
HttpClient http = HttpClient.newHttpClient();
PGraphics drawing;
volatile PImage painted;
// The server asks for a picture on a thread of its own; draw() takes one in its turn.
volatile boolean asked = false;
volatile WebSocket socket;

void settings() {
  size(2 * side, side);
}

void setup() {
  drawing = createGraphics(side, side);
  drawing.beginDraw();
  drawing.background(240);
  drawing.endDraw();
  http.newWebSocketBuilder().buildAsync(URI.create("ws://" + server + "/api/ws/" + user), new Listener());
}

void draw() {
  drawing.beginDraw();
  drawing.stroke(mouseX % 200, mouseY % 200, 160);
  drawing.strokeWeight(12);
  if (mousePressed) drawing.line(pmouseX, pmouseY, mouseX, mouseY);
  drawing.endDraw();
  image(drawing, 0, 0);
  if (painted != null) image(painted, side, 0, side, side);
  if (asked) sendPicture();
}

void sendPicture() {
  asked = false;
  try {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ImageIO.write((java.awt.image.BufferedImage) drawing.get().getNative(), "png", file);
    socket.sendText("{\"status\": \"next_frame\"}", true)
      .thenCompose(done -> done.sendText(parameters, true))
      .thenCompose(done -> done.sendBinary(ByteBuffer.wrap(file.toByteArray()), true));
  } catch (IOException fault) {
    println(fault.getMessage());
  }
}

class Listener implements WebSocket.Listener {
  StringBuilder text = new StringBuilder();

  public void onOpen(WebSocket opened) {
    socket = opened;
    opened.request(1);
  }

  public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
    text.append(part);
    if (last) {
      String message = text.toString();
      text.setLength(0);
      if (message.contains("\"connected\"")) thread("showResults");
      else if (message.contains("\"send_frame\"")) asked = true;
      else if (!message.contains("\"wait\"")) println(message);
    }
    from.request(1);
    return null;
  }
}

// Reads the results: Motion JPEG, each part with its length.
void showResults() {
  try {
    InputStream in = URI.create("http://" + server + "/api/stream/" + user).toURL().openStream();
    DataInputStream data = new DataInputStream(new BufferedInputStream(in));
    int length = 0;
    for (String line = data.readLine(); line != null; line = data.readLine()) {
      if (line.startsWith("Content-Length: ")) length = Integer.parseInt(line.substring(16));
      if (!line.isEmpty() || length == 0) continue;
      byte[] file = new byte[length];
      data.readFully(file);
      length = 0;
      painted = new PImage(ImageIO.read(new ByteArrayInputStream(file)));
    }
  } catch (IOException fault) {
    println(fault.getMessage());
  }
}
