/** Stand-in for Processing: runs a sketch without a window, until its result was drawn three times. */
class PApplet {
  int mouseX = 10, mouseY = 10, pmouseX = 5, pmouseY = 5;
  boolean mousePressed = true;
  int results = 0;

  void size(int width, int height) {}

  PGraphics createGraphics(int width, int height) {
    return new PGraphics(width, height);
  }

  void image(PImage picture, int x, int y) {}

  void image(PImage picture, int x, int y, int width, int height) {
    System.out.println("painted: " + picture.image.getWidth() + "x" + picture.image.getHeight());
    results++;
  }

  void println(String text) {
    System.out.println(text);
  }

  void thread(String method) {
    Thread thread = new Thread(() -> {
      try {
        getClass().getDeclaredMethod(method).invoke(this);
      } catch (ReflectiveOperationException fault) {
        fault.printStackTrace();
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  void settings() {}

  void setup() {}

  void draw() {}

  static void run(PApplet sketch) throws InterruptedException {
    sketch.settings();
    sketch.setup();
    while (sketch.results < 3) {
      sketch.draw();
      Thread.sleep(30);
    }
    System.exit(0);
  }
}

class PImage {
  final java.awt.image.BufferedImage image;

  PImage(java.awt.Image image) {
    this.image = (java.awt.image.BufferedImage) image;
  }

  PImage get() {
    return this;
  }

  Object getNative() {
    return image;
  }
}

class PGraphics extends PImage {
  PGraphics(int width, int height) {
    super(new java.awt.image.BufferedImage(width, height, java.awt.image.BufferedImage.TYPE_INT_RGB));
  }

  void beginDraw() {}

  void endDraw() {}

  void background(int grey) {}

  void stroke(int red, int green, int blue) {}

  void strokeWeight(int pixels) {}

  void line(int x1, int y1, int x2, int y2) {}
}
