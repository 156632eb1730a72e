"""What the page remembers for one visitor between Streamlit reruns."""
