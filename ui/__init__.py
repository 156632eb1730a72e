"""The Streamlit page: a visitor draws or uploads a picture and sees the model's answer. It uses the service over HTTP only."""
