"""What a worker accepts at a time: images, body bytes, connections and work per event-loop iteration."""
